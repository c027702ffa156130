import { TrackingError } from '../core/errors.js';
import { realTime } from './real-time.js';

export const DEFAULT_WAIT_MS = 2_000;

/** Waits in tests: no polling, bounded by real time. */
export class Waiters {
  private readonly checks = new Set<() => void>();

  constructor(private readonly timeoutMs: number) {}

  /**
   * Resolves with the first answer of `look` that is not `undefined`: asked now, and after each `arrived`.
   * Rejects with a TrackingError `timeout` that says what `expectation` answers then.
   */
  until<T>(look: () => T | undefined, expectation: () => string): Promise<T> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const found = look();
        if (found !== undefined) {
          this.checks.delete(check);
          realTime.clearTimeout(timer);
          resolve(found);
        }
      };
      const timer = realTime.setTimeout(() => {
        this.checks.delete(check);
        reject(new TrackingError('timeout', `waited ${this.timeoutMs} ms: ${expectation()}`));
      }, this.timeoutMs);
      this.checks.add(check);
      check();
    });
  }

  /** Something came: looks again for everybody who waits. */
  arrived(): void {
    for (const check of this.checks) {
      check();
    }
  }
}

/** How many to wait for. */
export function atLeastOne(count: number): void {
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new RangeError(`expected the number to wait for to be a positive integer, got ${count}`);
  }
}
