import type { Registry } from 'prom-client';
import { Counter, Gauge, register as defaultRegister } from 'prom-client';
import type { TrackerStats } from '../core/stats.js';
import { object, optional, readOptions, value, withMethods } from '../core/options.js';
import type { MetricSpec, Sample } from './samples.js';
import { METRICS } from './samples.js';

export interface TrackingMetricsOptions {
  /** Whose counts; asked at every scrape. */
  readonly tracker: { stats(): TrackerStats };
  /** Default: the default registry of prom-client. */
  readonly register?: Registry;
  /** Before every name; a second tracker in one registry needs another. Default: `tracking_`. */
  readonly prefix?: string;
}

/**
 * Registers what a tracker and its backends count. Between scrapes nothing is done.
 *
 * @throws TrackingError `invalid_options`; what prom-client throws for a name that is taken
 *
 * @example
 * trackingMetrics({ tracker: app.get(getTrackerToken()) });
 */
export function trackingMetrics(options: TrackingMetricsOptions): void {
  const title = 'the options of trackingMetrics() are wrong';
  const { tracker, register = defaultRegister, prefix } = readOptions(title, options, table);
  for (const spec of METRICS) {
    registerMetric(spec, prefix, register, () => spec.samples(tracker.stats()));
  }
}

function registerMetric(
  { name, help, kind, labelNames }: MetricSpec,
  prefix: string,
  register: Registry,
  samples: () => Sample[],
): void {
  const configuration = {
    ...{ name: `${prefix}${name}`, help, labelNames },
    registers: [register],
  };
  if (kind === 'gauge') {
    new Gauge({
      ...configuration,
      collect() {
        this.reset();
        for (const { labels, value } of samples()) {
          this.set(labels, value);
        }
      },
    });
    return;
  }
  new Counter({
    ...configuration,
    collect() {
      // A tracker counts by itself: its count is taken over as it is.
      this.reset();
      for (const { labels, value } of samples()) {
        this.inc(labels, value);
      }
    },
  });
}

/** Names that Prometheus takes. */
const PREFIX = /^(?:[a-zA-Z_:][a-zA-Z0-9_:]*)?$/;

const table = object({
  tracker: withMethods<TrackingMetricsOptions['tracker']>('a tracker', 'stats'),
  register: optional(withMethods<Registry>('a registry of prom-client', 'registerMetric')),
  prefix: optional(
    value<string>(
      'the beginning of a metric name',
      (given) => typeof given === 'string' && PREFIX.test(given),
    ),
    'tracking_',
  ),
});
