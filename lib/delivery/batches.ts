import type { TrackingEvent } from '../core/event/event.js';
import type { LeasedEvent } from './backlog.js';

/** Two halves of about the same size in bytes; of the events given, at least one in each. */
export function halves(
  events: readonly LeasedEvent[],
): readonly (readonly LeasedEvent[])[] {
  const total = bytesOf(events);
  let bytes = 0;
  let cut = 0;
  while (cut < events.length - 1 && (cut === 0 || bytes < total / 2)) {
    bytes += (events[cut] as LeasedEvent).bytes;
    cut++;
  }
  return [events.slice(0, cut), events.slice(cut)];
}

/**
 * Cuts what was leased into batches: events of different groups never share one, consecutive events of one group do,
 * and the same id never stands twice in one.
 */
export function batchesOf(
  events: readonly LeasedEvent[],
  groupOf: ((event: TrackingEvent) => string) | undefined,
): readonly (readonly LeasedEvent[])[] {
  const batches: LeasedEvent[][] = [];
  const ids = new Set<string>();
  let start = 0;
  let group = '';
  for (let at = 0; at < events.length; at++) {
    const one = events[at] as LeasedEvent;
    const { id } = one;
    const own = groupOf === undefined ? '' : groupOf(one.event);
    if (at > start && (own !== group || ids.has(id))) {
      batches.push(events.slice(start, at));
      ids.clear();
      start = at;
    }
    ids.add(id);
    group = own;
  }
  batches.push(events.slice(start));
  return batches;
}

export function bytesOf(events: readonly LeasedEvent[]): number {
  let bytes = 0;
  for (const event of events) {
    bytes += event.bytes;
  }
  return bytes;
}
