import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { OnModuleDestroy } from '@nestjs/common';
import { Inject, Injectable } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { HealthIndicatorResult } from '@nestjs/terminus';
import { HealthIndicatorService } from '@nestjs/terminus';
import type { Clock } from '../core/clock.js';
import { TrackingError } from '../core/errors.js';
import { describeValue } from '../core/describe.js';
import { systemClock } from '../core/system-clock.js';
import type { Tracker } from '../core/tracker.js';
import type { SettledFact } from '../delivery/delivery-facts.js';
import { DELIVERY_CHANNELS } from '../delivery/delivery-facts.js';
import { DEFAULT_NAME, rootTrackerToken } from '../nest/tracking.tokens.js';
import { Losses } from './losses.js';
import type { BackendHealth, TrackingHealthOptions } from './tracking-health.js';
import { readHealthOptions, trackingHealth } from './tracking-health.js';

/** What stands beside `status` under the key of a check. */
export interface TrackingHealthDetails extends Record<string, unknown> {
  readonly backends: Readonly<Record<string, BackendHealth>>;
  /** What makes it unhealthy; absent when it is not. */
  readonly message?: string;
}

/**
 * Health of a tracker. A destination that is retried or paused is up, with details; down is a tracker that lost events
 * within the window (a full backlog, a backend that failed to take them) or is closed. Provide it in a module that
 * imports `TerminusModule`.
 *
 * @example
 * health.check([() => tracking.isHealthy()]);
 */
@Injectable()
export class TrackingHealthIndicator implements OnModuleDestroy {
  private readonly clock: Clock = systemClock();
  private readonly trackers = new Map<string, Losses>();

  constructor(
    @Inject(HealthIndicatorService)
    private readonly indicators: HealthIndicatorService,
    @Inject(ModuleRef) private readonly moduleRef: ModuleRef,
  ) {
    // From the start on, so that an eviction is known by its own time, not by that of the next check.
    subscribe(DELIVERY_CHANNELS.settled, this.settled);
  }

  /** @throws TrackingError `invalid_options`, also when there is no tracker of that name */
  isHealthy<const Key extends string = 'tracking'>(
    key: Key = 'tracking' as Key,
    options: TrackingHealthOptions = {},
  ): HealthIndicatorResult<Key, 'up' | 'down', TrackingHealthDetails> {
    const { tracker = DEFAULT_NAME, windowMs } = readHealthOptions(options);
    const { backends, problems } = trackingHealth(
      this.tracker(tracker).stats(),
      this.losses(tracker),
      windowMs,
    );
    const session = this.indicators.check(key);
    return problems.length === 0
      ? session.up({ backends })
      : session.down({ message: problems.join('; '), backends });
  }

  onModuleDestroy(): void {
    unsubscribe(DELIVERY_CHANNELS.settled, this.settled);
  }

  private readonly settled = (fact: unknown): void => {
    const { tracker, path, reason } = fact as SettledFact;
    if (reason === 'overflow') {
      this.losses(tracker).evicted(path);
    }
  };

  private losses(tracker: string): Losses {
    let losses = this.trackers.get(tracker);
    if (losses === undefined) {
      losses = new Losses(() => this.clock.monotonicMs());
      this.trackers.set(tracker, losses);
    }
    return losses;
  }

  private tracker(name: string): Tracker {
    try {
      return this.moduleRef.get<Tracker>(rootTrackerToken(name), {
        strict: false,
      });
    } catch (cause) {
      throw new TrackingError(
        'invalid_options',
        `expected options.tracker to be the name of a tracker of TrackingModule.forRoot, got ${describeValue(name)}`,
        { cause },
      );
    }
  }
}
