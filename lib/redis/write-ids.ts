import { randomUUID } from 'node:crypto';
import type { WriteId } from '../metrics/metrics-store.js';

/** Redis keeps so many small integers of one set in the least space. */
const IDS_PER_SET = 512;

/** The set in which a write is noted, and the number by which. */
export function onceArguments({ writer, nth }: WriteId): [set: string, number: number] {
  return [`${writer}:${Math.floor(nth / IDS_PER_SET)}`, nth];
}

/**
 * Ids for writes that nobody else names: a client sends a command again when its connection breaks before the answer, and
 * only the server knows whether it had done it.
 */
export class WriteIds {
  private readonly writer = randomUUID();
  private nth = 0;

  next(): WriteId {
    return { writer: this.writer, nth: this.nth++ };
  }
}
