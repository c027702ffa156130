import type { OptionReader } from '../core/options.js';
import { listOf, milliseconds, object, optional, positiveInteger, readOptions } from '../core/options.js';
import type { Metrics } from './metrics.js';
import type { CheckedRule, MetricsRule } from './metrics-rule.js';
import { metricsRule } from './metrics-rule.js';
import type { MetricsWriter } from './metrics-writer.js';
import { StoredMetrics } from './stored-metrics.js';

/** What an app writes. */
export interface MetricsBackendOptions {
  /** What `createMetrics` returned. The backend does not close it. */
  readonly metrics: Metrics;
  /** Each is applied to every event whose name is like its `event`. */
  readonly rules: readonly MetricsRule[];
  /** When what waits is written: after so many events, or so long after the first. Default: 10,000; 1,000 ms. */
  readonly batch?: {
    readonly maxEvents?: number;
    readonly maxDelayMs?: number;
  };
  /**
   * Most counters, members and facts that wait in memory while the store is down. Events that need more are dropped as
   * `overflow`; events for counters that wait already are taken. Default: 100,000.
   */
  readonly maxWaiting?: number;
  /**
   * How many ids of events are remembered, so that an event that comes again counts once. This process alone remembers
   * them. Default: 10,000.
   */
  readonly rememberIds?: number;
}

const metricsWriter: OptionReader<MetricsWriter> = (given, path, problems) => {
  if (given instanceof StoredMetrics) {
    return given.writer;
  }
  problems.add(path, 'what createMetrics() returns, and not that of another copy of nestjs-tracking', given);
  return undefined as never;
};

const table = object({
  metrics: metricsWriter,
  rules: listOf('an array', metricsRule),
  batch: object({
    maxEvents: optional(positiveInteger, 10_000),
    maxDelayMs: optional(milliseconds, 1_000),
  }),
  maxWaiting: optional(positiveInteger, 100_000),
  rememberIds: optional(positiveInteger, 10_000),
});

/** What the code reads. */
export interface MetricsBackendSettings {
  readonly writer: MetricsWriter;
  readonly rules: readonly CheckedRule[];
  readonly maxEvents: number;
  readonly maxDelayMs: number;
  readonly maxWaiting: number;
  readonly rememberIds: number;
}

/** @throws TrackingError `invalid_options` with everything that is wrong */
export function readMetricsBackendOptions(options: MetricsBackendOptions): MetricsBackendSettings {
  const read = readOptions('the options of metricsBackend() are wrong', options, table);
  const { metrics: writer, batch, ...settings } = read;
  return { writer, ...batch, ...settings };
}
