import type { TrackingEvent } from '../core/event.js';
import { eventBytes } from '../core/event.js';
import type { EventStamp } from '../delivery/event-stamp.js';
import type { BacklogContents } from './backlog-contents.js';
import type { Chunk } from './chunk.js';

/**
 * Stamps the events of a chunk when it is written, not before: what comes while an earlier chunk is under way, which may
 * fail, must not have been stamped yet.
 */
export class ChunkStamps {
  /** Events of stamped chunks, by chunk, as they were before. */
  private readonly before = new Map<Chunk, readonly TrackingEvent[]>();

  constructor(
    private readonly contents: BacklogContents,
    private readonly stamp: EventStamp | undefined,
  ) {}

  /** A chunk that is to be written, perhaps not for the first time. */
  put(chunk: Chunk): void {
    const { stamp } = this;
    const { fresh } = chunk;
    if (stamp !== undefined && fresh?.replayed === false && !this.before.has(chunk)) {
      const before = [...fresh.events];
      this.before.set(chunk, before);
      this.replace(chunk, before, (event) => stamp.put(event));
    }
  }

  stored(chunk: Chunk): void {
    this.before.delete(chunk);
  }

  notStored(chunk: Chunk): void {
    const before = this.before.get(chunk);
    if (before !== undefined) {
      this.before.delete(chunk);
      const stamped = chunk.fresh?.events ?? [];
      this.stamp?.takeBack(stamped.filter((event, index) => event !== before[index]));
      this.replace(chunk, [...stamped], (_, index) => before[index] as TrackingEvent);
    }
  }

  /** Those that were evicted meanwhile count no more. */
  private replace(
    chunk: Chunk,
    events: readonly TrackingEvent[],
    by: (event: TrackingEvent, index: number) => TrackingEvent,
  ): void {
    let bytes = 0;
    events.forEach((event, index) => {
      if (chunk.fresh !== undefined && !chunk.isGone(index)) {
        const other = by(event, index);
        chunk.fresh.events[index] = other;
        bytes += eventBytes(other) - eventBytes(event);
      }
    });
    this.contents.grow(chunk, bytes);
  }
}
