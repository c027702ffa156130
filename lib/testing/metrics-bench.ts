import assert from 'node:assert/strict';
import { createMetrics } from '../metrics/create-metrics.js';
import type { Metrics } from '../metrics/metrics.js';
import type { MetricsOptions } from '../metrics/metrics-options.js';
import type { MetricsStore } from '../metrics/metrics-store.js';
import type { FakeClock } from './fake-clock.js';
import { fakeClock } from './fake-clock.js';

export type MetricsCheck = (bench: MetricsBench) => Promise<void>;

/** One store under the eyes of one check: it is Thursday, 2026-01-15, half past ten (UTC). */
export class MetricsBench {
  readonly clock: FakeClock = fakeClock(Date.UTC(2026, 0, 15, 10, 30));
  readonly metrics: Metrics;

  constructor(readonly store: MetricsStore) {
    this.metrics = this.metricsWith({});
  }

  /** Other metrics over the same store. */
  metricsWith(options: Omit<MetricsOptions, 'store'>): Metrics {
    return createMetrics({ store: this.store, clock: this.clock, ...options });
  }

  /** The values of a series, without its buckets. */
  async values(...[subject, metric, options]: Parameters<Metrics['series']>): Promise<number[]> {
    const points = await this.metrics.series(subject, metric, options);
    return points.map(({ value }) => value);
  }
}

/** Fails unless the work rejects with an error of this kind. */
export async function assertRefused(work: Promise<unknown>, type: 'TypeError' | 'RangeError'): Promise<void> {
  await assert.rejects(work, { name: type });
}
