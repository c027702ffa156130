import type { Clock } from '../core/clock.js';

/**
 * Epoch milliseconds that never jump while the process runs: wall time when this was made, moved on by the monotonic
 * clock. Ages are measured with it, so that a corrected clock makes no event old.
 */
export function steadyTime(clock: Clock): () => number {
  const offset = clock.now() - clock.monotonicMs();
  return () => offset + clock.monotonicMs();
}
