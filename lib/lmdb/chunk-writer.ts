import type { TrackingEvent } from '../core/event.js';
import type { TimerHandle } from '../core/clock.js';
import type { MaybePromise } from '../core/processor.js';
import type { DeathCause } from '../delivery/dead-letter.js';
import type { BacklogParts } from './backlog-parts.js';
import type { Chunk, Fresh } from './chunk.js';
import { encodeChunk } from './chunk.js';
import { ChunkStamps } from './chunk-stamps.js';

/** A lease reads whole chunks. */
const MAX_EVENTS = 500;
const MAX_BYTES = 512 * 1024;

/** Until what could not be stored is written again. */
const RETRY_MS = 1_000;
const SHUTDOWN: DeathCause = { reason: 'shutdown' };

/** Packs the events of one turn into chunks, and has them written. */
export class ChunkWriter {
  private current: Chunk | undefined = undefined;
  private readonly unsaved = new Set<Chunk>();
  private timer: TimerHandle;
  private readonly stamps: ChunkStamps;
  private closed = false;

  constructor(private readonly parts: BacklogParts) {
    this.stamps = new ChunkStamps(parts.contents, parts.host.stamp);
  }

  /** Answers what is known of the chunk that an event went into. */
  add(event: TrackingEvent, bytes: number, unheard: boolean, letter?: Buffer): Fresh {
    let chunk = this.current;
    const replayed = letter !== undefined;
    if (
      chunk?.fresh?.unheard !== unheard ||
      chunk.fresh.replayed !== replayed ||
      chunk.count >= MAX_EVENTS ||
      (chunk.size + bytes > MAX_BYTES && chunk.count > 0)
    ) {
      chunk = this.begin(unheard, replayed);
    }
    this.parts.contents.add(chunk, event, bytes);
    const fresh = chunk.fresh as Fresh;
    if (letter !== undefined) {
      fresh.letters.push(letter);
    }
    return fresh;
  }

  /** What could not be stored is tried once more, and then given up. */
  close(): void {
    this.closed = true;
    this.retry();
  }

  private begin(unheard: boolean, replayed: boolean): Chunk {
    const { contents, ownership } = this.parts;
    const fresh = newFresh(unheard, replayed);
    const chunk = contents.begin(ownership.range, fresh);
    this.current = chunk;
    this.save(chunk, fresh);
    return chunk;
  }

  private save(chunk: Chunk, fresh: Fresh): void {
    const { contents, commits, ownership } = this.parts;
    commits.push({
      bytes: () => chunk.size,
      bringsEvents: true,
      write: (draft) => {
        if (this.current === chunk) {
          this.current = undefined;
        }
        fresh.written = true;
        chunk.moveTo(ownership.range, ownership.chunkSeq());
        this.stamps.put(chunk);
        if (chunk.count > 0) {
          draft.writes.put(chunk.key, encodeChunk(fresh.events));
        }
        if (chunk.left < chunk.count) {
          draft.settle(chunk);
        }
        for (const letter of fresh.letters) {
          draft.writes.remove(letter);
        }
      },
      done: () => {
        this.stamps.stored(chunk);
        contents.stored(chunk);
        fresh.end();
        this.parts.tell();
      },
      failed: (error) => {
        this.stamps.notStored(chunk);
        if (fresh.unheard) {
          this.keep(chunk);
        } else {
          contents.notStored(chunk);
          fresh.end(error);
        }
      },
    });
  }

  private keep(chunk: Chunk): void {
    const { host, contents } = this.parts;
    if (this.closed) {
      const events = contents.giveUp(chunk);
      if (events.length > 0) {
        host.lost(events, SHUTDOWN);
      }
      return;
    }
    this.unsaved.add(chunk);
    if (this.unsaved.size === 1) {
      this.timer = host.clock.setTimeout(() => {
        this.retry();
      }, RETRY_MS);
    }
  }

  private retry(): void {
    this.parts.host.clock.clearTimeout(this.timer);
    const chunks = [...this.unsaved];
    this.unsaved.clear();
    for (const chunk of chunks) {
      if (chunk.fresh !== undefined) {
        this.save(chunk, chunk.fresh);
      }
    }
  }
}

/** The answer for so many events that went into these chunks. */
export function answerFor(count: number, chunks: readonly Fresh[]): MaybePromise<number> {
  const [first] = chunks;
  if (first === undefined) {
    return count;
  }
  if (chunks.length === 1) {
    return count === 1 ? first.stored : first.stored.then(() => count);
  }
  return Promise.all(chunks.map(({ stored }) => stored)).then(() => count);
}

function newFresh(unheard: boolean, replayed: boolean): Fresh {
  let resolve: (value: number) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const stored = new Promise<number>((...ends) => {
    [resolve, reject] = ends;
  });
  // Whoever waits hears of it.
  stored.catch(() => undefined);
  return {
    ...{ written: false, unheard, replayed },
    ...{ events: [], partitions: [], letters: [] },
    stored,
    end: (error) => {
      if (error === undefined) {
        resolve(1);
      } else {
        reject(error);
      }
    },
  };
}
