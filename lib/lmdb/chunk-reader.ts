import type { TrackingEvent } from '../core/event.js';
import { JsonBytes } from '../delivery/json-bytes.js';
import type { BacklogFile } from './backlog-file.js';
import { marksOf } from './backlog-keys.js';
import type { Chunk } from './chunk.js';
import { LENGTH_BYTES } from './chunk.js';

/** What JSON of an event ends with. */
const BRACE = 0x7d;

/** Reads a copy of a stored chunk; `undefined` when all of it was settled by others. */
export function readChunk(file: BacklogFile, chunk: Chunk): ChunkReader | undefined {
  let marks: Uint8Array | undefined;
  // Nobody else settles what we accepted ourselves.
  if (chunk.range.adopted) {
    for (const { value } of file.entries(marksOf(chunk.range.id, chunk.seq))) {
      marks = addMarks(marks, value);
    }
  }
  const value = file.read(chunk.key);
  return value === undefined ? undefined : new ChunkReader(value, chunk.count, marks);
}

/** Reads the events of a stored chunk, in ascending order. */
export class ChunkReader {
  private index = 0;
  private offset: number;
  /** Whether the lengths of the events can be relied on: they are those of what is there. */
  private readonly isWhole: boolean;

  /** @param marks those that somebody settled */
  constructor(
    readonly value: Buffer,
    private readonly count: number,
    private readonly marks?: Uint8Array,
  ) {
    this.offset = count * LENGTH_BYTES;
    let end = this.offset;
    for (let index = 0; index < count && end <= value.length; index++) {
      end += value.readUInt32LE(index * LENGTH_BYTES);
    }
    this.isWhole = end === value.length;
  }

  isMarked(index: number): boolean {
    return ((this.marks?.[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
  }

  /** In bytes. */
  sizeOf(index: number): number {
    return this.isWhole
      ? this.value.readUInt32LE(index * LENGTH_BYTES)
      : Math.floor(this.value.length / this.count) - LENGTH_BYTES;
  }

  /** Where its JSON begins. */
  offsetOf(index: number): number {
    while (this.index < index) {
      this.offset += this.sizeOf(this.index);
      this.index++;
    }
    return this.offset;
  }

  eventOf(index: number): TrackingEvent {
    const { value } = this;
    return new JsonBytes(value, this.offsetOf(index), this.sizeOf(index)).event;
  }

  /**
   * Whether an event looks like one: where a file was overwritten, no beginnings and ends are in their places. Reading
   * all of each event would cost more than storing it did.
   *
   * @param json its bytes
   */
  isSound(index: number, json: JsonBytes): boolean {
    return this.endsAsUsual(index) && json.hasId;
  }

  /** The event, unless it cannot be read. */
  soundEventOf(index: number): TrackingEvent | undefined {
    const event = this.eventOf(index);
    try {
      return this.endsAsUsual(index) && typeof event.id === 'string' ? event : undefined;
    } catch {
      return undefined;
    }
  }

  private endsAsUsual(index: number): boolean {
    const last = this.offsetOf(index) + this.sizeOf(index) - 1;
    return this.isWhole && this.value[last] === BRACE;
  }
}

/** The union of two sets of marks. */
export function addMarks(marks: Uint8Array | undefined, more: Uint8Array): Uint8Array {
  const sum = Uint8Array.from(more);
  marks?.forEach((bits, at) => {
    sum[at] = (sum[at] ?? 0) | bits;
  });
  return sum;
}
