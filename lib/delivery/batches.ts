import type { TrackingEvent } from '../core/event.js';
import type { LeasedEvent } from './backlog.js';

/** Two halves of about the same size in bytes; of the events given, at least one in each. */
export function halves(events: readonly LeasedEvent[]): readonly (readonly LeasedEvent[])[] {
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
  const ids = new BatchIds();
  let start = 0;
  let group = '';
  for (let at = 0; at < events.length; at++) {
    const one = events[at] as LeasedEvent;
    const own = groupOf === undefined ? '' : groupOf(one.event);
    if (at > start && (own !== group || ids.has(one))) {
      batches.push(events.slice(start, at));
      ids.clear();
      start = at;
    }
    ids.add(one);
    group = own;
  }
  batches.push(events.slice(start));
  return batches;
}

/** The ids of one batch. Ours ascend: as long as they do, none of them need be known. */
class BatchIds {
  private ascending: LeasedEvent[] = [];
  private known: Set<string> | undefined = undefined;

  has(event: LeasedEvent): boolean {
    const last = this.ascending.at(-1);
    if (this.known === undefined && (last === undefined || event.follows?.(last) === true)) {
      return false;
    }
    this.known ??= new Set(this.ascending.map(({ id }) => id));
    return this.known.has(event.id);
  }

  add(event: LeasedEvent): void {
    if (this.known === undefined) {
      this.ascending.push(event);
    } else {
      this.known.add(event.id);
    }
  }

  clear(): void {
    this.ascending = [];
    this.known = undefined;
  }
}

export function bytesOf(events: readonly LeasedEvent[]): number {
  let bytes = 0;
  for (const event of events) {
    bytes += event.bytes;
  }
  return bytes;
}
