import type { Clock } from '../core/clock.js';
import type { TrackingEvent } from '../core/event.js';
import { eventJson, storedEvent } from '../core/event.js';
import type { DeadLetter, DeathCause } from '../delivery/dead-letter.js';
import type { DeadLetterBounds } from '../delivery/memory-dead-letters.js';
import type { BacklogFile, Writes } from './backlog-file.js';
import type { LetterName } from './backlog-keys.js';
import { keysOf, letterKey, letterNameIn } from './backlog-keys.js';

const SLICE = 200;
const NEW_LINE = 10;
/** Other processes bury and replay too: what there is is counted anew when one is added, but not more often. */
const RECOUNT_MS = 1_000;

export interface StoredLetter {
  readonly key: Buffer;
  readonly letter: DeadLetter;
}

/** A dead letter on its way to the file. */
export interface NewLetter {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly size: number;
}

/** The latest dead letters of one place, as many as the bounds let stay; those of all processes count. */
export class LmdbDeadLetters {
  private number = 0;
  private count = 0;
  private bytes = 0;
  private countedAtMs = 0;
  /** There is one, and one more each time that this process was taken for dead. */
  private readonly owners = new Set<string>();

  constructor(
    private readonly file: BacklogFile,
    private readonly clock: Clock,
    private readonly place: string,
    /** Stands in each letter, so that tools know whose it is. */
    private readonly of: { readonly tracker: string; readonly path: string },
    private readonly bounds: DeadLetterBounds,
  ) {
    this.recount();
  }

  /** Whether it was made by this very object. */
  isOurs({ owner, number }: LetterName): boolean {
    return this.owners.has(owner) && number < this.number;
  }

  make(event: TrackingEvent, cause: DeathCause, at: number, owner: string): NewLetter {
    const { reason, status, body } = cause;
    this.owners.add(owner);
    const json = eventJson(event);
    const value = Buffer.from(`${JSON.stringify({ reason, status, body, at, ...this.of })}\n${json}`);
    const size = value.length;
    const key = letterKey(this.place, {
      ...{ at, owner, size },
      number: this.number++ >>> 0,
    });
    return { key, value, size };
  }

  /** Writes new letters, in the place of the oldest where there are too many. */
  write(writes: Writes, letters: readonly NewLetter[]): void {
    if (letters.length === 0) {
      return;
    }
    if (this.clock.monotonicMs() - this.countedAtMs > RECOUNT_MS) {
      this.recount();
    }
    const { maxEvents, maxBytes } = this.bounds;
    let count = this.count + letters.length;
    let bytes = letters.reduce((sum, { size }) => sum + size, this.bytes);
    const isOver = (): boolean => count > maxEvents || bytes > maxBytes;
    if (isOver()) {
      for (const key of this.file.keys(keysOf('d', this.place))) {
        if (!isOver()) {
          break;
        }
        writes.remove(key);
        count--;
        bytes -= letterNameIn(key).size;
      }
    }
    for (const { key, value, size } of letters) {
      if (isOver()) {
        count--;
        bytes -= size;
      } else {
        writes.put(key, value);
      }
    }
    this.count = count;
    this.bytes = bytes;
  }

  /** From the oldest on, in slices that are read when they are asked for. */
  *slices(): Generator<StoredLetter[]> {
    const range = keysOf('d', this.place);
    let { start } = range;
    for (;;) {
      this.file.refresh();
      const slice: StoredLetter[] = [];
      let last: Buffer | undefined;
      for (const { key, value } of this.file.entries({ ...range, start }, SLICE)) {
        last = key;
        const letter = decode(value);
        if (letter !== undefined) {
          slice.push({ key, letter });
        }
      }
      if (last === undefined) {
        return;
      }
      yield slice;
      start = Buffer.concat([last, Buffer.alloc(1)]);
    }
  }

  recount(): void {
    this.countedAtMs = this.clock.monotonicMs();
    this.file.refresh();
    this.count = 0;
    this.bytes = 0;
    for (const key of this.file.keys(keysOf('d', this.place))) {
      this.count++;
      this.bytes += letterNameIn(key).size;
    }
  }
}

function decode(value: Buffer): DeadLetter | undefined {
  try {
    const { reason, status, body, at, path } = letterHead(value);
    const json = value.toString('utf8', value.indexOf(NEW_LINE) + 1);
    const event = storedEvent(json);
    // Whoever looks for letters reads it.
    if (typeof event.name !== 'string') {
      return undefined;
    }
    return {
      ...{ event, path, reason, at },
      ...(status === undefined ? {} : { status }),
      ...(body === undefined ? {} : { body }),
    };
  } catch {
    return undefined;
  }
}

/** What is stored of a dead letter before its event. */
export function letterHead(value: Buffer): Omit<DeadLetter, 'event'> & { readonly tracker: string } {
  return JSON.parse(value.toString('utf8', 0, value.indexOf(NEW_LINE))) as ReturnType<typeof letterHead>;
}
