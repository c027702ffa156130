import type { Clock, TimerHandle } from './clock.js';

/** What a race ends with when its time is up. */
export const TIMED_OUT = Symbol('timed out');

interface Entry {
  readonly dueMs: number;
  readonly expire: () => void;
}

/** Many time limits of one length, in the order they began, on one timer. */
export class TimeoutQueue {
  private readonly entries = new Set<Entry>();
  private timer: TimerHandle;
  private isArmed = false;

  constructor(
    private readonly clock: Clock,
    private readonly lengthMs: number,
  ) {}

  /** Calls `expire` when the time is up, unless the function it returns is called before. */
  start(expire: () => void): () => void {
    const entry = { dueMs: this.clock.monotonicMs() + this.lengthMs, expire };
    this.entries.add(entry);
    if (!this.isArmed) {
      this.arm(entry);
    }
    return () => {
      this.entries.delete(entry);
      if (this.entries.size === 0 && this.isArmed) {
        this.isArmed = false;
        this.clock.clearTimeout(this.timer);
      }
    };
  }

  /** Settles as the work does, or resolves to TIMED_OUT, whichever comes first. */
  race<T>(work: PromiseLike<T>): Promise<T | typeof TIMED_OUT> {
    return new Promise((resolve, reject) => {
      const stop = this.start(() => {
        resolve(TIMED_OUT);
      });
      work.then(resolve, reject).then(stop);
    });
  }

  private arm({ dueMs }: Entry): void {
    this.isArmed = true;
    this.timer = this.clock.setTimeout(
      () => {
        this.isArmed = false;
        this.sweep(dueMs);
      },
      Math.max(0, dueMs - this.clock.monotonicMs()),
    );
  }

  /** @param reachedMs a time that has come, whatever the clock shows: a test may have stopped the one it reads */
  private sweep(reachedMs: number): void {
    const now = Math.max(reachedMs, this.clock.monotonicMs());
    for (const entry of this.entries) {
      if (entry.dueMs > now) {
        break;
      }
      this.entries.delete(entry);
      entry.expire();
    }
    // Looked for only then: a set walks over everything that was deleted from its front.
    const [first] = this.entries;
    if (first !== undefined && !this.isArmed) {
      this.arm(first);
    }
  }
}
