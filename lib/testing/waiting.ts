import { TrackingError } from '../core/errors.js';
import type { MaybePromise } from '../core/processor.js';

/**
 * The timers of the running process, taken before a test runner can replace them: what limits a wait of a test must not
 * stand still with the time that the test moves by hand.
 */
const { setTimeout, clearTimeout, setImmediate } = globalThis;

/** Lets every promise settle that can do so without timers or input. */
export function settlePromises(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Settles as the work does; rejects with a TrackingError `timeout` when that takes longer, in real milliseconds. */
export async function within<T>(ms: number, work: () => MaybePromise<T>, message: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new TrackingError('timeout', message()));
    }, ms);
  });
  try {
    return await Promise.race([work(), timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** Tests that wait until enough has arrived: no polling, limited by real time. */
export class Waiters {
  private readonly looks = new Set<() => void>();

  constructor(private readonly timeoutMs = 2_000) {}

  /**
   * Resolves with the first `count` of the items as soon as there are so many. Rejects with a TrackingError `timeout`
   * that says what was expected; with a RangeError for a count that is not a positive integer.
   */
  async first<T>(count: number, items: () => readonly T[], expectation: () => string): Promise<T[]> {
    if (!Number.isSafeInteger(count) || count < 1) {
      throw new RangeError(`expected the number to wait for to be a positive integer, got ${count}`);
    }
    let resolve: (found: T[]) => void = () => undefined;
    const enough = new Promise<T[]>((settle) => {
      resolve = settle;
    });
    const look = (): void => {
      const found = items();
      if (found.length >= count) {
        resolve(found.slice(0, count));
      }
    };
    this.looks.add(look);
    look();
    return within(
      this.timeoutMs,
      () => enough,
      () => `waited ${this.timeoutMs} ms: ${expectation()}`,
    ).finally(() => this.looks.delete(look));
  }

  /** Something has arrived. */
  notify(): void {
    for (const look of this.looks) {
      look();
    }
  }
}
