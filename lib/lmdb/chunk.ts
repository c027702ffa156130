import type { TrackingEvent } from '../core/event.js';
import { eventBytes, eventJson } from '../core/event.js';
import { writeText } from '../delivery/write-text.js';
import { chunkKey } from './backlog-keys.js';

/** The events that one backlog of one process accepted. */
export interface EventRange {
  readonly id: string;
  /** Chunks of it that are not settled. */
  chunks: number;
  /** Whether somebody else accepted its events, who may be alive after all and still record deliveries. */
  readonly adopted: boolean;
  /** Somebody else holds it now. */
  lost: boolean;
}

/** What is not stored yet. */
export interface Fresh {
  /** Its batch is under way, or was. */
  written: boolean;
  /** Nobody waits to hear that it is stored. */
  readonly unheard: boolean;
  /** These events were dead letters: they were accepted before. */
  readonly replayed: boolean;
  readonly events: TrackingEvent[];
  /** Of each event. */
  readonly partitions: string[];
  /** Dead letters that these events were. */
  readonly letters: Buffer[];
  /** Resolves to 1 when they are stored: the answer to whoever brought one of them. */
  readonly stored: Promise<number>;
  readonly end: (error?: Error) => void;
}

interface Gone {
  count: number;
  bytes: number;
  bits: Uint8Array;
}

/** Before the JSON of the events stand their lengths. */
export const LENGTH_BYTES = 4;

/**
 * Events that were accepted in one turn of the event loop, stored as one value: their lengths, then their JSON. In
 * memory there is only this record: there may be a million of them.
 */
export class Chunk {
  /** Its place in its range; given when it is written. */
  seq: number;
  /** In bytes of JSON. */
  size: number;
  count: number;
  fresh: Fresh | undefined = undefined;
  private gone: Gone | undefined = undefined;

  constructor(
    public range: EventRange,
    /** The number of its first event, in this process. */
    public base: number,
    readonly acceptedAt: number,
    { seq, count, size }: { seq: number; count: number; size: number },
  ) {
    this.seq = seq;
    this.count = count;
    this.size = size;
  }

  /** Events that are neither delivered nor dead. */
  get left(): number {
    return this.count - (this.gone?.count ?? 0);
  }

  get bytes(): number {
    return this.size - (this.gone?.bytes ?? 0);
  }

  get key(): Buffer {
    return chunkKey(this.range.id, this);
  }

  /** Gives it its place, in the range of whoever writes it. */
  moveTo(range: EventRange, seq: number): void {
    this.range.chunks--;
    range.chunks++;
    this.range = range;
    this.seq = seq;
  }

  /** The first event that is neither delivered nor dead; `count` when there is none. */
  firstLeft(): number {
    let index = 0;
    while (index < this.count && this.isGone(index)) {
      index++;
    }
    return index;
  }

  /** Takes the first event out of a chunk that nobody has written yet. */
  dropFirst(bytes: number): void {
    this.fresh?.events.shift();
    this.fresh?.partitions.shift();
    this.base++;
    this.count--;
    this.size -= bytes;
  }

  isGone(index: number): boolean {
    return ((this.gone?.bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
  }

  markGone(index: number, bytes: number): void {
    const gone = (this.gone ??= {
      ...{ count: 0, bytes: 0 },
      bits: new Uint8Array((this.count + 7) >> 3),
    });
    if (index >> 3 >= gone.bits.length) {
      const bits = new Uint8Array(2 * ((index >> 3) + 1));
      bits.set(gone.bits);
      gone.bits = bits;
    }
    gone.bits[index >> 3] = (gone.bits[index >> 3] as number) | (1 << (index & 7));
    gone.count++;
    gone.bytes += bytes;
  }

  /** Bits of those that are gone, and of some more. */
  marks(more: readonly number[]): Buffer {
    const marks = Buffer.alloc((this.count + 7) >> 3);
    marks.set(this.gone?.bits.subarray(0, marks.length) ?? []);
    for (const index of more) {
      marks[index >> 3] = (marks[index >> 3] as number) | (1 << (index & 7));
    }
    return marks;
  }
}

/** The value of a chunk that is not stored yet. */
export function encodeChunk(events: readonly TrackingEvent[]): Buffer {
  const head = events.length * LENGTH_BYTES;
  let bytes = 0;
  for (const event of events) {
    bytes += eventBytes(event);
  }
  const value = Buffer.allocUnsafeSlow(head + bytes);
  const texts: string[] = [];
  for (const event of events) {
    value.writeUInt32LE(eventBytes(event), texts.length * LENGTH_BYTES);
    texts.push(eventJson(event));
  }
  writeText(value, texts.join(''), head, bytes);
  return value;
}
