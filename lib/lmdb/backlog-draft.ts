import type { Writes } from './backlog-file.js';
import { marksKey, marksOf } from './backlog-keys.js';
import type { KeyRange } from './backlog-keys.js';
import type { Chunk } from './chunk.js';
import type { LmdbDeadLetters, NewLetter } from './lmdb-dead-letters.js';

/** The settlements of one batch, chunk by chunk, so that each chunk is written once. */
export class BacklogDraft {
  private readonly settled = new Map<Chunk, number[]>();
  private readonly late = new Map<Chunk, number[]>();
  private readonly buried: NewLetter[] = [];

  /** @param writer the range of whoever writes */
  constructor(
    readonly writes: Writes,
    readonly writer: string,
    private readonly letters: LmdbDeadLetters,
    private readonly keys: (range: KeyRange) => Iterable<Buffer>,
  ) {}

  /** An event is settled; those that are gone in memory need only have their chunk named. */
  settle(chunk: Chunk, index?: number): void {
    add(this.settled, chunk, index);
  }

  /** An event of a range that is no longer ours was delivered. */
  deliveredLate(chunk: Chunk, index: number): void {
    add(this.late, chunk, index);
  }

  bury(letter: NewLetter): void {
    this.buried.push(letter);
  }

  finish(): void {
    this.letters.write(this.writes, this.buried);
    for (const [chunk, indexes] of this.settled) {
      if (chunk.left > indexes.length) {
        this.mark(chunk, indexes);
      } else {
        this.writes.remove(chunk.key);
        for (const key of this.keys(marksOf(chunk.range.id, chunk.seq))) {
          this.writes.remove(key);
        }
      }
    }
    for (const [chunk, indexes] of this.late) {
      this.mark(chunk, indexes);
    }
  }

  private mark(chunk: Chunk, indexes: readonly number[]): void {
    this.writes.put(marksKey(chunk.range.id, chunk.seq, this.writer), chunk.marks(indexes));
  }
}

function add(to: Map<Chunk, number[]>, chunk: Chunk, index: number | undefined): void {
  const indexes = to.get(chunk);
  if (indexes === undefined) {
    to.set(chunk, index === undefined ? [] : [index]);
  } else if (index !== undefined) {
    indexes.push(index);
  }
}
