import type { TrackingEvent } from '../core/event.js';
import type { BacklogFile } from './backlog-file.js';
import { chunkNameIn, keysOf, seqOfMarks } from './backlog-keys.js';
import type { EventRange } from './chunk.js';
import { Chunk } from './chunk.js';
import { addMarks, ChunkReader } from './chunk-reader.js';

/** Finds the chunks of a range, slice by slice; reads of them only what has to be known. */
export class RangeReader {
  readonly chunks: Chunk[] = [];
  /** Of the events of each chunk, where there are partitions. */
  readonly partitions = new Map<Chunk, string[]>();
  events = 0;
  /** All chunks are found. */
  done = false;
  /** What was found is taken over. */
  loaded = false;
  private readonly marks = new Map<number, Uint8Array>();
  private start: Buffer;

  constructor(
    private readonly file: BacklogFile,
    readonly range: EventRange,
    private readonly partitionOf: ((event: TrackingEvent) => string) | undefined,
  ) {
    this.start = keysOf('c', range.id).start;
    for (const { key, value } of file.entries(keysOf('m', range.id))) {
      const seq = seqOfMarks(key);
      this.marks.set(seq, addMarks(this.marks.get(seq), value));
    }
  }

  /** Reads so many chunks. */
  step(limit: number): void {
    const { end } = keysOf('c', this.range.id);
    const keys = [...this.file.keys({ start: this.start, end }, limit)];
    for (const key of keys) {
      const name = chunkNameIn(key);
      const chunk = new Chunk(this.range, 0, name.acceptedAt, name);
      this.look(chunk);
      if (chunk.left > 0) {
        this.chunks.push(chunk);
        this.events += chunk.count;
      }
    }
    const last = keys.at(-1);
    this.done = keys.length < limit;
    if (last !== undefined) {
      this.start = Buffer.concat([last, Buffer.alloc(1)]);
    }
  }

  /** The chunks in groups of so many events, or of one chunk. */
  *slices(maxEvents: number): Generator<Chunk[]> {
    let slice: Chunk[] = [];
    let events = 0;
    for (const chunk of this.chunks) {
      if (events > 0 && events + chunk.count > maxEvents) {
        yield slice;
        slice = [];
        events = 0;
      }
      slice.push(chunk);
      events += chunk.count;
    }
    if (events > 0) {
      yield slice;
    }
  }

  private look(chunk: Chunk): void {
    const marks = this.marks.get(chunk.seq);
    if (marks === undefined && this.partitionOf === undefined) {
      return;
    }
    const value = this.file.peek(chunk.key);
    if (value === undefined) {
      return;
    }
    const reader = new ChunkReader(value, chunk.count, marks);
    const partitions: string[] = [];
    for (let index = 0; index < chunk.count; index++) {
      const size = reader.sizeOf(index);
      if (reader.isMarked(index)) {
        chunk.markGone(index, size);
      } else if (this.partitionOf !== undefined) {
        partitions[index] = this.partitionOf(reader.eventOf(index));
      }
    }
    if (this.partitionOf !== undefined) {
      this.partitions.set(chunk, partitions);
    }
  }
}
