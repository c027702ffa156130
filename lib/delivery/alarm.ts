import type { Clock, TimerHandle } from '../core/clock.js';

/** One timer for whatever comes next. */
export class Alarm {
  private timer: TimerHandle;
  private dueAt = Infinity;

  constructor(
    private readonly clock: Clock,
    private readonly ring: () => void,
  ) {}

  get isSet(): boolean {
    return this.dueAt !== Infinity;
  }

  /** Rings at this monotonic time alone; never for Infinity, soon for what has passed. */
  set(at: number): void {
    if (at === this.dueAt) {
      return;
    }
    if (this.isSet) {
      this.clock.clearTimeout(this.timer);
    }
    this.dueAt = at;
    if (at !== Infinity) {
      const wait = Math.max(0, at - this.clock.monotonicMs());
      this.timer = this.clock.setTimeout(() => {
        this.dueAt = Infinity;
        this.ring();
      }, wait);
    }
  }
}
