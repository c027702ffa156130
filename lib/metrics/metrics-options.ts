import type { Clock } from '../core/clock.js';
import { describeValue } from '../core/describe.js';
import { systemClock } from '../core/system-clock.js';
import { isRecord, Problems } from '../core/options.js';
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

const STORE_METHODS: readonly (keyof MetricsStore)[] = [
  'increment',
  'set',
  'totals',
  'days',
  'hours',
  'addMembers',
  'countMembers',
  'record',
  'facts',
  'factsOf',
  'clear',
  'prune',
  'close',
];

/** @throws TrackingError `invalid_options` with everything that is wrong */
export function readMetricsOptions(options: MetricsOptions): MetricsSettings {
  const problems = new Problems();
  const zone = check(options, problems);
  problems.throwIfAny('the options of createMetrics() are wrong');
  const { store, retention = {}, clock = systemClock() } = options;
  return {
    store,
    zone: zone as TimeZone,
    keep: { hours: retention.hour?.days, days: retention.day?.days },
    clock,
  };
}

function check(options: unknown, problems: Problems): TimeZone | undefined {
  if (!isRecord(options)) {
    problems.add('options', 'an object', options);
    return undefined;
  }
  problems.onlyKeys('', options, ['store', 'timeZone', 'retention', 'clock']);
  const { store, clock } = options;
  if (!isRecord(store)) {
    problems.add('store', 'a metrics store', store);
  } else {
    for (const method of STORE_METHODS) {
      problems.function(`store.${method}`, store[method]);
    }
  }
  if (clock !== undefined && !isRecord(clock)) {
    problems.add('clock', 'a clock', clock);
  } else if (clock !== undefined) {
    problems.function('clock.now', clock['now']);
  }
  checkRetention(options['retention'], problems);
  return readZone(options['timeZone'], problems);
}

function checkRetention(retention: unknown, problems: Problems): void {
  if (retention === undefined) {
    return;
  }
  if (!isRecord(retention)) {
    problems.add('retention', 'an object', retention);
    return;
  }
  problems.onlyKeys('retention', retention, ['hour', 'day']);
  for (const key of ['hour', 'day']) {
    const of = retention[key];
    if (isRecord(of)) {
      problems.onlyKeys(`retention.${key}`, of, ['days']);
      problems.positiveInteger(`retention.${key}.days`, of['days']);
    } else if (of !== undefined) {
      problems.add(`retention.${key}`, '{ days }', of);
    }
  }
}

function readZone(name: unknown, problems: Problems): TimeZone | undefined {
  try {
    if (name === undefined || typeof name === 'string') {
      return timeZone(name ?? 'UTC');
    }
  } catch {
    // Not a time zone that this system knows.
  }
  problems.addLine(
    'timeZone',
    `expected the IANA name of a time zone, such as Europe/Berlin, got ${describeValue(name)}`,
  );
  return undefined;
}
