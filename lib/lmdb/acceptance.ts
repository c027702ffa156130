import type { TrackingEvent } from '../core/event.js';
import { eventBytes } from '../core/event.js';
import type { MaybePromise } from '../core/processor.js';
import { RoomWaiters } from '../delivery/room-waiters.js';
import type { DeathCause } from '../delivery/dead-letter.js';
import type { BacklogParts } from './backlog-parts.js';
import type { Fresh } from './chunk.js';
import { answerFor, ChunkWriter } from './chunk-writer.js';
import { evictOldest } from './eviction.js';
import type { StoredLetter } from './lmdb-dead-letters.js';
import { letterNameIn } from './backlog-keys.js';
import type { LmdbBacklogSettings } from './lmdb-backlog-options.js';

/** In memory, while the disk does not keep up, or fails. */
const MAX_UNSTORED_BYTES = 64 * 1024 * 1024;
const OVERFLOW: DeathCause = { reason: 'overflow' };

/** Takes events in, as far as there is room, and makes room where that is the policy. */
export class Acceptance {
  private closed = false;
  private readonly waiters: RoomWaiters;
  private readonly writer: ChunkWriter;

  constructor(
    private readonly parts: BacklogParts,
    private readonly settings: LmdbBacklogSettings,
  ) {
    const { clock, blockTimeoutMs } = parts.host;
    this.writer = new ChunkWriter(parts);
    this.waiters = new RoomWaiters(clock, blockTimeoutMs);
  }

  append(events: readonly TrackingEvent[], wait: boolean, unheard: boolean): MaybePromise<number> {
    if (unheard && !wait) {
      return this.appendUnheard(events);
    }
    const chunks: Fresh[] = [];
    for (let i = 0; i < events.length; i++) {
      const event = events[i] as TrackingEvent;
      const bytes = eventBytes(event);
      if (!this.takes(bytes)) {
        return wait && this.settings.overflow === 'block'
          ? this.appendWhenRoom(events, i, chunks)
          : answerFor(i, chunks);
      }
      this.accept(event, bytes, chunks);
    }
    return answerFor(events.length, chunks);
  }

  /** Answers at once. What cannot be stored now is stored later, or is lost at the end, and told so. */
  private appendUnheard(events: readonly TrackingEvent[]): number {
    let count = 0;
    for (const event of events) {
      const bytes = eventBytes(event);
      if (!this.takes(bytes)) {
        break;
      }
      this.parts.contents.accepted++;
      this.writer.add(event, bytes, true);
      count++;
    }
    return count;
  }

  /** Accepts dead letters anew, as many as there is room for; answers how many, when they are stored. */
  async replay(letters: readonly StoredLetter[]): Promise<number> {
    const { contents } = this.parts;
    const chunks: Fresh[] = [];
    let replayed = 0;
    let ours = 0;
    for (const { key, letter } of letters) {
      const bytes = eventBytes(letter.event);
      if (this.closed || !this.hasRoom(bytes)) {
        break;
      }
      // It counts as dead here only if it died here.
      if (this.parts.letters.isOurs(letterNameIn(key))) {
        contents.dead--;
        ours++;
      } else {
        contents.accepted++;
      }
      push(chunks, this.writer.add(letter.event, bytes, false, key));
      replayed++;
    }
    try {
      return await answerFor(replayed, chunks);
    } catch (error) {
      contents.dead += ours;
      contents.accepted += ours;
      throw error;
    }
  }

  /** There is more room. */
  admit(): void {
    this.waiters.admit();
  }

  close(): void {
    this.closed = true;
    this.waiters.refuseAll();
    this.writer.close();
  }

  private takes(bytes: number): boolean {
    if (this.closed || this.parts.contents.unstoredBytes + bytes > MAX_UNSTORED_BYTES) {
      return false;
    }
    if (this.hasRoom(bytes)) {
      return this.waiters.isEmpty;
    }
    if (this.settings.overflow !== 'dropOldest' || bytes > this.settings.maxBytes) {
      return false;
    }
    while (!this.hasRoom(bytes)) {
      if (!this.evict()) {
        return false;
      }
    }
    return true;
  }

  private hasRoom(bytes: number): boolean {
    const { depth, bytes: held } = this.parts.contents;
    return depth < this.settings.maxEvents && held + bytes <= this.settings.maxBytes;
  }

  private accept(event: TrackingEvent, bytes: number, chunks: Fresh[]): void {
    this.parts.contents.accepted++;
    push(chunks, this.writer.add(event, bytes, false));
  }

  private async appendWhenRoom(
    events: readonly TrackingEvent[],
    from: number,
    chunks: Fresh[],
  ): Promise<number> {
    for (let i = from; i < events.length; i++) {
      const event = events[i] as TrackingEvent;
      const bytes = eventBytes(event);
      if (this.takes(bytes)) {
        this.accept(event, bytes, chunks);
      } else if (!(await this.room(event, bytes, chunks))) {
        return answerFor(i, chunks);
      }
    }
    return answerFor(events.length, chunks);
  }

  private async room(event: TrackingEvent, bytes: number, chunks: Fresh[]): Promise<boolean> {
    return this.closed || bytes > this.settings.maxBytes
      ? false
      : await this.waiters.wait(() => {
          const hasRoom = this.hasRoom(bytes);
          if (hasRoom) {
            this.accept(event, bytes, chunks);
          }
          return hasRoom;
        });
  }

  /** Should its record fail, the event comes again after the next start. */
  private evict(): boolean {
    const { letters, host, commits, ownership } = this.parts;
    const victim = evictOldest(this.parts);
    if (victim === undefined) {
      return false;
    }
    const { event, chunk } = victim;
    if (event === undefined) {
      return true;
    }
    const letter = letters.make(event, OVERFLOW, host.clock.now(), ownership.range.id);
    commits.push({
      bytes: () => letter.size,
      bringsEvents: true,
      write: (draft) => {
        if (chunk !== undefined && !chunk.range.lost) {
          draft.settle(chunk);
        }
        draft.bury(letter);
      },
    });
    host.lost([event], OVERFLOW);
    return true;
  }
}

function push(chunks: Fresh[], fresh: Fresh): void {
  if (chunks.at(-1) !== fresh) {
    chunks.push(fresh);
  }
}
