import type { TrackingEvent } from '../core/event/event.js';

const MAX_PARTITIONS = 1_000;
/** What more partitions share. */
const OTHER = 'other';

/** Names the partition of an event; bounded, and never throwing. */
export function boundedPartitions(
  partitionOf: (event: TrackingEvent) => unknown,
  failed: (error: unknown) => void,
): (event: TrackingEvent) => string {
  const known = new Set<string>();
  return (event) => {
    let partition: string;
    try {
      partition = String(partitionOf(event));
    } catch (error) {
      failed(error);
      return OTHER;
    }
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
