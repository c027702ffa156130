import type { Clock } from '../core/clock.js';
import { systemClock } from '../core/system-clock.js';
import type { OptionReader } from '../core/options.js';
import { object, optional, positiveInteger, readOptions, withMethods } from '../core/options.js';
import type { KeepDays, MetricsStore } from './metrics-store.js';
import type { TimeZone } from './time-zone.js';
import { timeZone } from './time-zone.js';

/** What an app writes. */
export interface MetricsOptions {
  /** `memoryMetricsStore()`, `lmdbMetricsStore({ path })` or `redisMetricsStore({ client, prefix })`. */
  readonly store: MetricsStore;
  /**
   * An IANA name, `Europe/Berlin`: whose days and hours are counted. What is stored keeps the days it was stored under.
   * Default: `UTC`.
   */
  readonly timeZone?: string;
  /**
   * For how many days hours, and days, are kept; days carry members and facts with them. Totals are for ever.
   * Default: for ever.
   */
  readonly retention?: {
    readonly hour?: { readonly days: number };
    readonly day?: { readonly days: number };
  };
  /** Default: the system's. */
  readonly clock?: Pick<Clock, 'now'>;
}

/** What the code reads. */
export interface MetricsSettings {
  readonly store: MetricsStore;
  readonly zone: TimeZone;
  readonly keep: KeepDays;
  readonly clock: Pick<Clock, 'now'>;
}

const store = withMethods<MetricsStore>(
  'a metrics store',
  ...(['increment', 'set', 'totals', 'days', 'hours', 'addMembers', 'countMembers'] as const),
  ...(['record', 'facts', 'factsOf', 'clear', 'prune', 'close'] as const),
);

const zone: OptionReader<TimeZone> = (given, path, problems) => {
  try {
    if (typeof given === 'string') {
      return timeZone(given);
    }
  } catch {
    // Not a time zone that this system knows.
  }
  problems.add(path, 'the IANA name of a time zone, such as Europe/Berlin', given);
  return undefined as never;
};

const days = object({ days: positiveInteger });

const table = object({
  store,
  timeZone: optional(zone),
  retention: object({ hour: optional(days), day: optional(days) }),
  clock: optional(withMethods<Pick<Clock, 'now'>>('a clock', 'now')),
});

/** @throws TrackingError `invalid_options` with everything that is wrong */
export function readMetricsOptions(options: MetricsOptions): MetricsSettings {
  const read = readOptions('the options of createMetrics() are wrong', options, table);
  const { hour, day } = read.retention;
  return {
    store: read.store,
    zone: read.timeZone ?? timeZone('UTC'),
    keep: { hours: hour?.days, days: day?.days },
    clock: read.clock ?? systemClock(),
  };
}
