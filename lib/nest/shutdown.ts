import type { Clock, TimerHandle } from '../core/clock.js';
import { Deadline } from '../core/node.js';
import type { ScopedTracker } from '../core/scoped-tracker.js';

/** What is shut down. */
export interface Closable {
  readonly tracker: ScopedTracker;
  readonly shutdownTimeoutMs: number;
}

/** The part of the time that is kept for closing when HTTP does not end by itself. */
const CLOSING_SHARE = 1 / 4;

/**
 * The end of all instances of an app, under one deadline.
 *
 * Requests in flight are still served while it runs, so events are taken until HTTP has closed; if an open connection
 * keeps HTTP from closing, the instances are closed in the last quarter of the time.
 */
export class Shutdown {
  private deadline: Deadline | undefined;
  private timer: TimerHandle;
  private clock: Clock | undefined;

  /** HTTP still serves: drain, and see to it that everything ends in time. */
  begin(instances: readonly Closable[]): void {
    const [first] = instances;
    if (first === undefined || this.deadline !== undefined) {
      return;
    }
    const timeoutMs = Math.max(
      ...instances.map((instance) => instance.shutdownTimeoutMs),
    );
    this.clock = first.tracker.runtime.services.clock;
    const deadline = new Deadline(this.clock, timeoutMs);
    this.deadline = deadline;
    for (const { tracker } of instances) {
      void tracker.flush(deadline.budget());
    }
    this.timer = this.clock.setTimeout(
      () => {
        for (const { tracker } of instances) {
          void tracker.close(deadline.budget());
        }
      },
      timeoutMs * (1 - CLOSING_SHARE),
    );
  }

  /** HTTP has closed. */
  async finish(instances: readonly Closable[]): Promise<void> {
    this.begin(instances);
    this.clock?.clearTimeout(this.timer);
    const budget = this.deadline?.budget();
    await Promise.all(instances.map(({ tracker }) => tracker.close(budget)));
  }
}
