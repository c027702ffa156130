import type { OnApplicationShutdown } from '@nestjs/common';
import type { Clock, TimerHandle } from '../core/clock.js';
import { Deadline } from '../core/deadline.js';
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
 * Requests in flight are still served while it runs, so events are taken until HTTP has closed, and until every other
 * `onApplicationShutdown` of the app has ended: what a job emits there is its last word. In the last quarter of the time the
 * instances close all the same, whether an open connection keeps HTTP from closing or a backend hangs.
 */
export class Shutdown {
  private deadline: Deadline | undefined;
  private timer: TimerHandle;
  private clock: Clock | undefined;
  private closingMs = 0;
  /** Hooks of the app that have not ended yet, our own among them. */
  private hooks = 1;
  private closing: Promise<void> | undefined;

  /**
   * HTTP still serves: drain, and see to it that everything ends in time.
   *
   * @param others providers of the app whose hooks run at the end. Nest calls them module by module, and which come after
   *   ours depends on the order of imports (`NestApplicationContext.callShutdownHook`, Nest 11 and 12).
   */
  begin(instances: readonly Closable[], others: readonly object[] = []): void {
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
    for (const other of others) {
      this.follow(other as OnApplicationShutdown, instances);
    }
  }

  /** HTTP has closed. */
  async finish(instances: readonly Closable[]): Promise<void> {
    this.begin(instances);
    await this.hookEnded(instances);
  }

  /** Whichever hook ends last closes, while Nest waits for it. */
  private follow(provider: OnApplicationShutdown, instances: readonly Closable[]): void {
    const original = provider.onApplicationShutdown.bind(provider);
    const followed = async (signal?: string): Promise<void> => {
      try {
        await original(signal);
      } finally {
        await this.hookEnded(instances);
      }
    };
    if (Reflect.defineProperty(provider, 'onApplicationShutdown', { value: followed, configurable: true })) {
      this.hooks++;
    }
  }

  private async hookEnded(instances: readonly Closable[]): Promise<void> {
    this.hooks--;
    if (this.hooks === 0) {
      this.clock?.clearTimeout(this.timer);
      await this.close(instances);
    }
  }

  private close(instances: readonly Closable[]): Promise<void> {
    return (this.closing ??= this.closeOnce(instances));
  }

  private async closeOnce(instances: readonly Closable[]): Promise<void> {
    const budget = this.deadline?.budget();
    await Promise.all(instances.map(({ tracker }) => tracker.runtime.close(budget, this.closingMs)));
    await this.deadline?.race(Promise.all(instances.map(closeMetrics)), undefined);
  }
}

async function closeMetrics({ metrics, tracker }: Closable): Promise<void> {
  try {
    await metrics?.close();
  } catch (error) {
    tracker.runtime.callbackFailed('metrics', 'closing the metrics failed', error);
  }
}
