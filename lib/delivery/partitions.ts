import type { TrackingEvent } from '../core/event.js';
import { ignore, isThenable } from '../core/thenable.js';

const MAX_PARTITIONS = 1_000;
/** What more partitions share. */
const OTHER = 'other';

type NameOf = (event: TrackingEvent) => string;

/** Names the partition of an event; bounded, and never throwing. */
export function boundedPartitions(
  partitionBy: (event: TrackingEvent) => unknown,
  failed: (error: unknown) => void,
): NameOf {
  const known = new Set<string>();
  const partitionOf = safely(partitionBy, failed);
  return (event) => {
    const partition = partitionOf(event) ?? OTHER;
    if (known.has(partition)) {
      return partition;
    }
    if (known.size === MAX_PARTITIONS) {
      return OTHER;
    }
    known.add(partition);
    return partition;
  };
}

/** Names the group of an event, never throwing: one that has none is a group of its own. */
export function safeGroups(
  groupBy: (event: TrackingEvent) => unknown,
  failed: (error: unknown) => void,
): NameOf {
  const groupOf = safely(groupBy, failed);
  return (event) => groupOf(event) ?? `none: ${event.id}`;
}

function safely(
  nameOf: (event: TrackingEvent) => unknown,
  failed: (error: unknown) => void,
): (event: TrackingEvent) => string | undefined {
  return (event) => {
    try {
      const name = nameOf(event);
      if (!isThenable(name)) {
        return String(name);
      }
      ignore(name);
      failed(new TypeError('it answered a promise'));
    } catch (error) {
      failed(error);
    }
    return undefined;
  };
}
