import type { Clock } from '../core/clock.js';

/** Those who wait until something is settled. */
export class SettleWaiters {
  private readonly checks = new Set<() => void>();

  constructor(private readonly clock: Clock) {}

  /** Resolves when `isDone`, which is asked after each settlement, or when the time is up. */
  until(isDone: () => boolean, timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        this.checks.delete(check);
        this.clock.clearTimeout(timer);
        resolve();
      };
      const check = (): void => {
        if (isDone()) {
          end();
        }
      };
      const timer = this.clock.setTimeout(end, timeoutMs);
      this.checks.add(check);
      check();
    });
  }

  settled(): void {
    for (const check of this.checks) {
      check();
    }
  }
}
