import type { Chunk } from './chunk.js';

/** Chunks in the order of their events; those of which nothing is left are swept out in passing. */
export class ChunkTable {
  private chunks: Chunk[] = [];
  private start = 0;
  private swept = 0;

  /** The first of which something is left. */
  get oldest(): Chunk | undefined {
    for (let at = this.start; at < this.chunks.length; at++) {
      const chunk = this.chunks[at] as Chunk;
      if (chunk.left > 0) {
        return chunk;
      }
      // One that is not stored yet may grow again.
      if (at === this.start && chunk.fresh === undefined) {
        this.start++;
      }
    }
    return undefined;
  }

  /** The number of the first event that is left. */
  get oldestSeq(): number | undefined {
    const { oldest } = this;
    return oldest === undefined ? undefined : oldest.base + oldest.firstLeft();
  }

  push(chunk: Chunk): void {
    this.chunks.push(chunk);
  }

  /** Puts chunks, which follow each other, where they belong. */
  insert(chunks: readonly Chunk[]): void {
    const first = chunks[0]?.base ?? 0;
    if (first > (this.chunks.at(-1)?.base ?? -Infinity)) {
      this.chunks.push(...chunks);
      return;
    }
    let at = this.start;
    while (at < this.chunks.length && (this.chunks[at] as Chunk).base < first) {
      at++;
    }
    this.chunks = this.chunks.slice(this.start, at).concat(chunks, this.chunks.slice(at));
    this.start = 0;
  }

  /** The chunk of an event that is not settled. */
  of(seq: number): Chunk {
    let low = this.start;
    let high = this.chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.chunks[middle] as Chunk).base <= seq) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return this.chunks[low] as Chunk;
  }

  /** Tells that nothing is left of one of them. */
  settled(): void {
    this.swept++;
    if (this.swept > 1_024 && this.swept > this.chunks.length >> 1) {
      this.keep(({ left, fresh }) => left > 0 || fresh !== undefined);
    }
  }

  /** Takes out some of those of which something is left. */
  remove(unwanted: (chunk: Chunk) => boolean): Chunk[] {
    const removed = this.chunks.filter(
      (chunk) => chunk.fresh === undefined && chunk.left > 0 && unwanted(chunk),
    );
    this.keep((chunk) => chunk.fresh !== undefined || (chunk.left > 0 && !unwanted(chunk)));
    return removed;
  }

  private keep(wanted: (chunk: Chunk) => boolean): void {
    this.chunks = this.chunks.filter(wanted);
    this.start = 0;
    this.swept = 0;
  }
}
