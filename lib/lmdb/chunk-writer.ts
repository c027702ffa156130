import type { TrackingEvent } from '../core/event.js';
import type { MaybePromise } from '../core/processor.js';
import type { BacklogParts } from './backlog-parts.js';
import type { Chunk, Fresh } from './chunk.js';
import { encodeChunk } from './chunk.js';

/** A lease reads whole chunks. */
const MAX_EVENTS = 500;
const MAX_BYTES = 512 * 1024;

/** Packs the events of one turn into chunks, and has them written. */
export class ChunkWriter {
  private current: Chunk | undefined = undefined;

  constructor(private readonly parts: BacklogParts) {}

  /** Answers the chunk that an event went into. */
  add(event: TrackingEvent, bytes: number, letter?: Buffer): Fresh {
    let chunk = this.current;
    if (
      chunk === undefined ||
      chunk.count >= MAX_EVENTS ||
      (chunk.size + bytes > MAX_BYTES && chunk.count > 0)
    ) {
      chunk = this.begin();
    }
    this.parts.contents.add(chunk, event, bytes);
    const fresh = chunk.fresh as Fresh;
    if (letter !== undefined) {
      fresh.letters.push(letter);
    }
    return fresh;
  }

  private begin(): Chunk {
    const { contents, commits, ownership } = this.parts;
    const fresh = newFresh();
    const chunk = contents.begin(ownership.range, fresh);
    this.current = chunk;
    commits.push({
      write: ({ writes }) => {
        if (this.current === chunk) {
          this.current = undefined;
        }
        fresh.written = true;
        chunk.moveTo(ownership.range, ownership.chunkSeq());
        if (chunk.count > 0) {
          writes.put(chunk.key, encodeChunk(fresh.events));
        }
        for (const letter of fresh.letters) {
          writes.remove(letter);
        }
      },
      done: () => {
        contents.stored(chunk);
        fresh.end();
        this.parts.tell();
      },
      failed: (error) => {
        contents.notStored(chunk);
        fresh.end(error);
      },
    });
    return chunk;
  }
}

/** The answer for so many events that went into these chunks. */
export function answerFor(
  count: number,
  chunks: readonly Fresh[],
): MaybePromise<number> {
  const [first] = chunks;
  if (first === undefined) {
    return count;
  }
  if (chunks.length === 1) {
    return count === 1 ? first.stored : first.stored.then(() => count);
  }
  return Promise.all(chunks.map(({ stored }) => stored)).then(() => count);
}

function newFresh(): Fresh {
  let resolve: (value: number) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const stored = new Promise<number>((...ends) => {
    [resolve, reject] = ends;
  });
  // Whoever waits hears of it.
  stored.catch(() => undefined);
  return {
    ...{ written: false, events: [], partitions: [], letters: [], stored },
    end: (error) => {
      if (error === undefined) {
        resolve(1);
      } else {
        reject(error);
      }
    },
  };
}
