import type { TimeBudget } from './backend.js';
import type { Clock } from './clock.js';

/** What is left of a time budget, for several steps one after the other. */
export class Deadline {
  private readonly endMs: number;

  constructor(
    private readonly clock: Clock,
    timeoutMs: number,
  ) {
    this.endMs = clock.monotonicMs() + timeoutMs;
  }

  budget(): TimeBudget {
    return { timeoutMs: Math.max(0, this.endMs - this.clock.monotonicMs()) };
  }

  /** One that comes earlier, after a part of what is left. */
  part(divisor: number): Deadline {
    return new Deadline(this.clock, this.budget().timeoutMs / divisor);
  }

  /** Settles as the work does, or resolves to `late` when the time is up. Never rejects for being late. */
  race<T>(work: PromiseLike<T>, late: T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const timer = this.clock.setTimeout(() => {
        resolve(late);
      }, this.budget().timeoutMs);
      work.then(resolve, reject).then(() => {
        this.clock.clearTimeout(timer);
      });
    });
  }
}
