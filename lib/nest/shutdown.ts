import type { Clock, TimerHandle } from '../core/clock.js';
import { Deadline } from '../core/node.js';
import type { ScopedTracker } from '../core/scoped-tracker.js';
import type { Metrics } from '../metrics/metrics.js';

/** What is shut down. */
export interface Closable {
  readonly tracker: ScopedTracker;
  /** Closed once the tracker no longer writes to them. */
  readonly metrics: Pick<Metrics, 'close'> | undefined;
  readonly shutdownTimeoutMs: number;
}

/** The last part of the time, kept for closing: for dead letters above all. */
const CLOSING_SHARE = 1 / 4;

/**
 * The end of all instances of an app, under one deadline.
 *
 * Requests in flight are still served while it runs, so events are taken until HTTP has closed. In the last quarter of
 * the time the instances close all the same, whether an open connection keeps HTTP from closing or a backend hangs.
 */
export class Shutdown {
  private deadline: Deadline | undefined;
  private timer: TimerHandle;
  private clock: Clock | undefined;
  private closingMs = 0;

  /** HTTP still serves: drain, and see to it that everything ends in time. */
  begin(instances: readonly Closable[]): void {
    const [first] = instances;
    if (first === undefined || this.deadline !== undefined) {
      return;
    }
    const timeoutMs = Math.max(...instances.map((instance) => instance.shutdownTimeoutMs));
    this.closingMs = timeoutMs * CLOSING_SHARE;
    this.clock = first.tracker.runtime.services.clock;
    this.deadline = new Deadline(this.clock, timeoutMs);
    const servingMs = timeoutMs - this.closingMs;
    for (const { tracker } of instances) {
      void tracker.flush({ timeoutMs: servingMs });
    }
    this.timer = this.clock.setTimeout(() => {
      void this.close(instances);
    }, servingMs);
  }

  /** HTTP has closed. */
  async finish(instances: readonly Closable[]): Promise<void> {
    this.begin(instances);
    this.clock?.clearTimeout(this.timer);
    await this.close(instances);
    await this.deadline?.race(Promise.all(instances.map(closeMetrics)), undefined);
  }

  private async close(instances: readonly Closable[]): Promise<void> {
    const budget = this.deadline?.budget();
    await Promise.all(instances.map(({ tracker }) => tracker.runtime.close(budget, this.closingMs)));
  }
}

async function closeMetrics({ metrics, tracker }: Closable): Promise<void> {
  try {
    await metrics?.close();
  } catch (error) {
    tracker.runtime.services.reporter.report({
      code: 'callback_failed',
      message: 'closing the metrics failed',
      path: 'metrics',
      error,
    });
  }
}
