import type { Chunk } from './chunk.js';

export interface WaitingNumbers {
  readonly seqs: number[];
  /** Estimated: the sizes of single events are not known. */
  bytes: number;
}

/** The numbers of events that wait in chunks, in order, by partition. */
export function waitingOf(
  chunks: readonly Chunk[],
  partitions: ReadonlyMap<Chunk, readonly string[]>,
): Map<string, WaitingNumbers> {
  const waiting = new Map<string, WaitingNumbers>();
  for (const chunk of chunks) {
    const names = partitions.get(chunk);
    for (let index = 0; index < chunk.count; index++) {
      if (!chunk.isGone(index)) {
        const name = names?.[index] ?? '';
        let numbers = waiting.get(name);
        if (numbers === undefined) {
          numbers = { seqs: [], bytes: 0 };
          waiting.set(name, numbers);
        }
        numbers.seqs.push(chunk.base + index);
        numbers.bytes += chunk.size / chunk.count;
      }
    }
  }
  return waiting;
}
