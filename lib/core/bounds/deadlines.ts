import type { Clock, TimerHandle } from '../clock.js';

interface Entry {
  readonly dueMs: number;
  readonly expire: () => void;
}

/** Many waits of one length, in the order they began, on one timer. */
export class Deadlines {
  private readonly entries = new Set<Entry>();
  private timer: TimerHandle;
  private armed = false;

  constructor(
    private readonly clock: Clock,
    private readonly lengthMs: number,
  ) {}

  /** Calls `expire` when the time is up, unless the function it answers is called before. */
  start(expire: () => void): () => void {
    const entry = { dueMs: this.clock.monotonicMs() + this.lengthMs, expire };
    this.entries.add(entry);
    this.arm();
    return () => {
      this.entries.delete(entry);
      if (this.entries.size === 0 && this.armed) {
        this.armed = false;
        this.clock.clearTimeout(this.timer);
      }
    };
  }

  private arm(): void {
    if (this.armed) {
      return;
    }
    // Looked for only then: a set walks over everything that was deleted from its front.
    const [first] = this.entries;
    if (first === undefined) {
      return;
    }
    this.armed = true;
    const wait = Math.max(0, first.dueMs - this.clock.monotonicMs());
    this.timer = this.clock.setTimeout(() => {
      this.armed = false;
      this.sweep();
    }, wait);
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
