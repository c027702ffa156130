import type { JsonObject } from '../core/json.js';
import { readCounters, readInteger, readName, readNames, readOptions, wrongType } from './arguments.js';
import type { Day } from './calendar.js';
import { CounterReader } from './counter-reader.js';
import { factsJson, recordedFacts } from './facts-json.js';
import { counterOf, factsKeyOf, uniqueOf } from './keys.js';
import { isEmpty, LocalDates, readRange } from './local-dates.js';
import { memberHash } from './member-hash.js';
import type {
  CounterKey,
  DateInput,
  DateRange,
  IncrementOptions,
  Names,
  RecordedFacts,
  SeriesOptions,
  SeriesPoint,
  SetOptions,
  UniqueOptions,
} from './metrics.js';
import { Metrics } from './metrics.js';
import type { Change } from './metrics-store.js';
import type { MetricsWriter } from './metrics-writer.js';
import type { LocalHour } from './time-zone.js';

const INCREMENT_OPTIONS = ['by', 'at'] as const;
const TOTAL_OPTIONS = ['by'] as const;
const NO_HOUR: Partial<LocalHour> = {};

/**
 * Metrics over a store.
 *
 * Invariants
 * - Everything is checked before anything is written.
 * - What retention no longer keeps counts as 0, whether or not the store still has it.
 */
export class StoredMetrics extends Metrics {
  private readonly dates: LocalDates;
  private readonly reader: CounterReader;

  constructor(readonly writer: MetricsWriter) {
    super();
    this.dates = new LocalDates(writer.settings);
    this.reader = new CounterReader(writer, this.dates);
  }

  increment(subject: string, metric: string, options?: IncrementOptions): Promise<number>;
  increment(subjects: Names, metrics: Names, options?: IncrementOptions): Promise<number[]>;
  increment(subjects: Names, metrics: Names, options?: IncrementOptions): Promise<number | number[]> {
    try {
      const { by = 1, at } = readOptions('options', options, INCREMENT_OPTIONS);
      const amount = readInteger('by', by);
      return this.add(subjects, metrics, amount, this.dates.hourOf(at));
    } catch (error) {
      return rejected(error);
    }
  }

  incrementTotal(subject: string, metric: string, options?: Pick<IncrementOptions, 'by'>): Promise<number>;
  incrementTotal(subjects: Names, metrics: Names, options?: Pick<IncrementOptions, 'by'>): Promise<number[]>;
  incrementTotal(
    subjects: Names,
    metrics: Names,
    options?: Pick<IncrementOptions, 'by'>,
  ): Promise<number | number[]> {
    try {
      const { by = 1 } = readOptions('options', options, TOTAL_OPTIONS);
      return this.add(subjects, metrics, readInteger('by', by), NO_HOUR);
    } catch (error) {
      return rejected(error);
    }
  }

  async total(subject: string, metric: string): Promise<number> {
    return only(await this.reader.totals([counterOf(subject, metric)]));
  }

  async totals(counters: Iterable<CounterKey>): Promise<number[]> {
    return this.reader.totals(readCounters('counters', counters));
  }

  async count(subject: string, metric: string, range?: DateRange): Promise<number> {
    return only(await this.reader.sums([counterOf(subject, metric)], range));
  }

  async counts(counters: Iterable<CounterKey>, range?: DateRange): Promise<number[]> {
    return this.reader.sums(readCounters('counters', counters), range);
  }

  async series(subject: string, metric: string, options: SeriesOptions): Promise<SeriesPoint[]> {
    return only(await this.reader.points([counterOf(subject, metric)], options));
  }

  async seriesMany(counters: Iterable<CounterKey>, options: SeriesOptions): Promise<SeriesPoint[][]> {
    return this.reader.points(readCounters('counters', counters), options);
  }

  async set(subject: string, metric: string, options: SetOptions): Promise<void> {
    const { at, value } = readOptions('options', options, ['at', 'value']);
    const setting = {
      ...counterOf(subject, metric),
      ...this.dates.firstHourOf(at),
      value: readInteger('value', value),
    };
    await this.writer.set(setting);
  }

  async addUnique(
    metric: string,
    member: string,
    options?: UniqueOptions & { readonly at?: DateInput },
  ): Promise<void> {
    const known = ['at', 'subject'] as const;
    const { at, subject } = readOptions('options', options, known);
    const group = {
      ...uniqueOf(metric, subject),
      day: this.dates.dayOf(at),
      hashes: [memberHash(readName('member', member))],
    };
    await this.writer.addMembers([group]);
  }

  async uniques(metric: string, options?: UniqueOptions & DateRange): Promise<number> {
    const known = ['subject', 'from', 'to'] as const;
    const { subject, ...range } = readOptions('options', options, known);
    const unique = uniqueOf(metric, subject);
    const days = this.dates.keptDays(range);
    return isEmpty(days) ? 0 : this.writer.store.countMembers(unique, days);
  }

  async record(
    subject: string,
    key: string,
    facts: JsonObject,
    options?: { readonly at?: DateInput },
  ): Promise<void> {
    const { at } = readOptions('options', options, ['at']);
    const record = {
      ...factsKeyOf(subject, key),
      atMs: this.dates.msOf(at),
      json: factsJson(facts),
    };
    await this.writer.record([record]);
  }

  async facts(subject: string, key: string, range?: DateRange): Promise<RecordedFacts[]> {
    const of = factsKeyOf(subject, key);
    const days = this.dates.keptDays(readRange(range));
    const found = isEmpty(days) ? [] : await this.writer.store.facts(of, this.dates.instantsOf(days));
    return found.map(recordedFacts);
  }

  async factsOf(key: string): Promise<Map<string, RecordedFacts[]>> {
    const of = readName('key', key);
    const times = this.dates.instantsOf(this.dates.keptDays({}));
    const found = await this.writer.store.factsOf(of, times);
    return new Map(Array.from(found, ([subject, stored]) => [subject, stored.map(recordedFacts)]));
  }

  async clear(what: { readonly subject?: string; readonly metric?: string }): Promise<void> {
    const given = readOptions('what', required('what', what), ['subject', 'metric']);
    await this.writer.store.clear({
      ...('subject' in given ? { subject: readName('subject', given.subject) } : {}),
      ...('metric' in given ? { metric: readName('metric', given.metric) } : {}),
    });
  }

  close(): Promise<void> {
    return this.writer.close();
  }

  /** One counter is the way of most calls: it costs one promise, and no list of names. */
  private add(
    subjects: Names,
    metrics: Names,
    by: number,
    { day, hour }: Partial<LocalHour>,
  ): Promise<number | number[]> {
    if (typeof subjects === 'string' && typeof metrics === 'string') {
      const subject = readName('subject', subjects);
      const metric = readName('metric', metrics);
      return this.writer.increment([changeOf(subject, metric, by, day, hour)]).then(only);
    }
    const names = readNames('metric', metrics);
    const changes = readNames('subject', subjects).flatMap((subject) =>
      names.map((metric) => changeOf(subject, metric, by, day, hour)),
    );
    return changes.length === 0
      ? Promise.resolve([])
      : this.writer.increment(changes).then((totals) => [...totals]);
  }
}

function changeOf(
  subject: string,
  metric: string,
  by: number,
  day: Day | undefined,
  hour: number | undefined,
): Change {
  return day === undefined || hour === undefined
    ? { subject, metric, by }
    : { subject, metric, by, day, hour };
}

/** What an asynchronous function would do with what it throws. */
function rejected(error: unknown): Promise<never> {
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever was thrown
  return Promise.reject(error);
}

/** @throws TypeError when nothing is given */
function required(option: string, value: unknown): unknown {
  if (value === undefined) {
    throw wrongType(option, 'an object', value);
  }
  return value;
}

function only<T>(values: readonly T[]): T {
  return values[0] as T;
}
