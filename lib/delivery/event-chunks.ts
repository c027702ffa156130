import { EventChunk } from './event-chunk.js';
import { MemoryEntry } from './memory-entry.js';

const MIN_CHUNK_BYTES = 4 * 1024;
const MAX_CHUNK_BYTES = 256 * 1024;

/** Events that nobody has in care yet, in chunks: one object stands for hundreds of them. */
export class EventChunks {
  length = 0;
  private chunks: EventChunk[] = [];
  private last: EventChunk | undefined = undefined;
  /** A full backlog goes on in the chunk that it has just emptied, and leaves nothing to the collector. */
  private spare: EventChunk | undefined = undefined;

  /** The chunk that starts with the first event. */
  get first(): EventChunk | undefined {
    return this.length === 0 ? undefined : this.chunks[0];
  }

  /**
   * @param bytes the size of the text in UTF-8
   * @param waiting how many bytes wait already: chunks are no larger than that needs
   */
  push(text: string, bytes: number, acceptedAt: number, seq: number, waiting: number): void {
    const chunk =
      this.last?.fits(bytes) === true ? this.last : this.begin(EventChunk.sizeFor(bytes), waiting);
    chunk.push(text, bytes, acceptedAt, seq);
    this.length++;
  }

  /** Takes the first event; its bytes stay where they are for as long as somebody has it. */
  shift(): MemoryEntry | undefined {
    const { first } = this;
    if (first === undefined) {
      return undefined;
    }
    first.leased = true;
    return this.take(first);
  }

  /** Takes the first event, to be given up. */
  evict(): MemoryEntry | undefined {
    const { first } = this;
    if (first === undefined) {
      return undefined;
    }
    const entry = this.take(first);
    entry.detach();
    if (first.isEmpty) {
      this.reuse(first);
    }
    return entry;
  }

  private take(first: EventChunk): MemoryEntry {
    const { json, jsonAt, bytes, acceptedAt, seq } = first;
    first.shift();
    this.length--;
    if (first.isEmpty && first !== this.last) {
      this.chunks.shift();
    }
    return new MemoryEntry(json, jsonAt, bytes, acceptedAt, seq);
  }

  private begin(bytes: number, waiting: number): EventChunk {
    const { last } = this;
    if (last?.isEmpty === true) {
      this.chunks = [];
      this.reuse(last);
    }
    const chunk = this.spareOf(bytes) ?? newChunk(bytes, waiting);
    this.chunks.push(chunk);
    this.last = chunk;
    return chunk;
  }

  private reuse(chunk: EventChunk): void {
    if (!chunk.leased && chunk.json.length === MAX_CHUNK_BYTES) {
      chunk.clear();
      this.spare = chunk === this.last ? undefined : chunk;
    }
  }

  private spareOf(bytes: number): EventChunk | undefined {
    const { spare } = this;
    if (spare === undefined || bytes > MAX_CHUNK_BYTES) {
      return undefined;
    }
    this.spare = undefined;
    return spare;
  }
}

function newChunk(bytes: number, waiting: number): EventChunk {
  const usual = Math.min(MAX_CHUNK_BYTES, Math.max(MIN_CHUNK_BYTES, waiting));
  return new EventChunk(Buffer.allocUnsafeSlow(Math.max(usual, bytes)));
}
