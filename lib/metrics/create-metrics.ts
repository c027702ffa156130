import type { Metrics } from './metrics.js';
import type { MetricsOptions } from './metrics-options.js';
import { readMetricsOptions } from './metrics-options.js';
import { MetricsWriter } from './metrics-writer.js';
import { StoredMetrics } from './stored-metrics.js';

/**
 * Counters of what users do, by hour, day, week, month and year.
 *
 * @throws TrackingError `invalid_options`
 *
 * @example
 * const metrics = createMetrics({ store: memoryMetricsStore(), timeZone: 'Europe/Berlin' });
 * await metrics.increment('run-7', 'donations');
 * await metrics.series('run-7', 'donations', { by: 'week', from: '2026-01-01' });
 */
export function createMetrics(options: MetricsOptions): Metrics {
  return new StoredMetrics(new MetricsWriter(readMetricsOptions(options)));
}
