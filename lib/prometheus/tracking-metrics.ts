import type { Registry } from 'prom-client';
import { Counter, Gauge, register as defaultRegister } from 'prom-client';
import type { TrackerStats } from '../core/stats.js';
import { isRecord, Problems } from '../core/options.js';
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
  check(options);
  const { tracker, register = defaultRegister, prefix = 'tracking_' } = options;
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
const PREFIX = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

function check(options: unknown): void {
  const problems = new Problems();
  if (isRecord(options)) {
    const { tracker, register, prefix } = options;
    problems.onlyKeys('', options, ['tracker', 'register', 'prefix']);
    if (!has(tracker, 'stats')) {
      problems.add('tracker', 'a tracker', tracker);
    }
    problems.optional(register, (value) => {
      if (!has(value, 'registerMetric')) {
        problems.add('register', 'a registry of prom-client', value);
      }
    });
    problems.optional(prefix, (value) => {
      if (value !== '' && (typeof value !== 'string' || !PREFIX.test(value))) {
        problems.add('prefix', 'the beginning of a metric name', value);
      }
    });
  } else {
    problems.add('options', 'an object', options);
  }
  problems.throwIfAny('the options of trackingMetrics() are wrong');
}

function has(value: unknown, method: string): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Record<string, unknown>)[method] === 'function'
  );
}
