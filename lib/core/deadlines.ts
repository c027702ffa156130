import type { Clock } from './clock.js';
import { Alarm } from './alarm.js';

/** What a wait ends with when its time is up. */
export const TIMED_OUT = Symbol('timed out');

interface Entry {
  readonly dueMs: number;
  readonly expire: () => void;
}

/** Many waits of one length, in the order they began, on one timer. */
export class Deadlines {
  private readonly entries = new Set<Entry>();
  private readonly alarm: Alarm;

  constructor(
    private readonly clock: Clock,
    private readonly lengthMs: number,
  ) {
    this.alarm = new Alarm(clock, () => {
      this.sweep();
    });
  }

  /** Calls `expire` when the time is up, unless the function it answers is called before. */
  start(expire: () => void): () => void {
    const entry = { dueMs: this.clock.monotonicMs() + this.lengthMs, expire };
    this.entries.add(entry);
    this.arm();
    return () => {
      this.entries.delete(entry);
      if (this.entries.size === 0) {
        this.alarm.set(Infinity);
      }
    };
  }

  /** Settles as the work does, or resolves to TIMED_OUT, whichever comes first. */
  async inTime<T>(work: PromiseLike<T>): Promise<T | typeof TIMED_OUT> {
    let stop: (() => void) | undefined;
    try {
      return await new Promise<T | typeof TIMED_OUT>((resolve, reject) => {
        stop = this.start(() => {
          resolve(TIMED_OUT);
        });
        work.then(resolve, reject);
      });
    } finally {
      stop?.();
    }
  }

  private arm(): void {
    if (this.alarm.isSet) {
      return;
    }
    // Looked for only then: a set walks over everything that was deleted from its front.
    const [first] = this.entries;
    if (first !== undefined) {
      this.alarm.set(first.dueMs);
    }
  }

  private sweep(): void {
    const now = this.clock.monotonicMs();
    for (const entry of this.entries) {
      if (entry.dueMs > now) {
        break;
      }
      this.entries.delete(entry);
      entry.expire();
    }
    this.arm();
  }
}
