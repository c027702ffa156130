import type { JsonObject } from '../core/json.js';

/** A moment or a day: a `Date`, epoch milliseconds, or `YYYY-MM-DD` in the time zone of the metrics. */
export type DateInput = Date | number | string;

/** One name, or any iterable of them. */
export type Names = string | Iterable<string>;

export type CounterKey = readonly [subject: string, metric: string];

export type Granularity = 'hour' | 'day' | 'week' | 'month' | 'year';

export interface IncrementOptions {
  /** A safe integer, 0 and less included. Default: 1. */
  readonly by?: number;
  /** When it happened. Default: now. */
  readonly at?: DateInput;
}

/**
 * Days, both ends inclusive, in either order. With one end missing: from the first record on, or up to today. With both
 * missing: everything.
 */
export interface DateRange {
  readonly from?: DateInput;
  readonly to?: DateInput;
}

export interface SeriesOptions {
  /** Weeks begin on Monday. */
  readonly by: Granularity;
  /** Lies in the first bucket, which is counted as a whole. */
  readonly from: DateInput;
  /** Lies in the last bucket, which is counted as a whole. Default: now. Not together with `limit`. */
  readonly to?: DateInput;
  /** How many buckets. */
  readonly limit?: number;
}

export interface SeriesPoint {
  /** The day with which it begins, `YYYY-MM-DD`; for hours `YYYY-MM-DDTHH`. */
  readonly bucket: string;
  readonly value: number;
}

export interface SetOptions {
  readonly value: number;
  /** The day. Default: today. */
  readonly at?: DateInput;
}

export interface UniqueOptions {
  /** Whose members they are; without it, those of the metric as a whole, which is counted apart. */
  readonly subject?: string;
}

export interface RecordedFacts {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly facts: JsonObject;
}

/**
 * Counters that can be asked by hour, day, week, month and year.
 *
 * Every method rejects with a `TypeError` or `RangeError` that names the argument, what was expected and what was given;
 * then nothing is written. Names (subjects, metrics, keys, members) are any text of 1 to 512 bytes of UTF-8.
 */
export abstract class Metrics {
  /** Adds to the total, the day and the hour. Answers the new total. */
  abstract increment(subject: string, metric: string, options?: IncrementOptions): Promise<number>;
  /** Adds to every pair, all or none. Answers the new totals, subject by subject, metric by metric. */
  abstract increment(subjects: Names, metrics: Names, options?: IncrementOptions): Promise<number[]>;
  /** Adds to the all-time total alone: no day and no series sees it. */
  abstract incrementTotal(
    subject: string,
    metric: string,
    options?: Pick<IncrementOptions, 'by'>,
  ): Promise<number>;
  abstract incrementTotal(
    subjects: Names,
    metrics: Names,
    options?: Pick<IncrementOptions, 'by'>,
  ): Promise<number[]>;
  /** Everything ever counted, whatever retention has removed since. */
  abstract total(subject: string, metric: string): Promise<number>;
  abstract totals(counters: Iterable<CounterKey>): Promise<number[]>;
  /** The sum of some days; without a range the total. */
  abstract count(subject: string, metric: string, range?: DateRange): Promise<number>;
  abstract counts(counters: Iterable<CounterKey>, range?: DateRange): Promise<number[]>;
  /** Values in order, 0 where nothing was counted. At most 100,000 buckets. */
  abstract series(subject: string, metric: string, options: SeriesOptions): Promise<SeriesPoint[]>;
  abstract seriesMany(counters: Iterable<CounterKey>, options: SeriesOptions): Promise<SeriesPoint[][]>;
  /** Makes a day's value what is given. The total changes with it, and so does the day's first hour. */
  abstract set(subject: string, metric: string, options: SetOptions): Promise<void>;
  abstract addUnique(
    metric: string,
    member: string,
    options?: UniqueOptions & { readonly at?: DateInput },
  ): Promise<void>;
  /** How many distinct members: exact up to 1,000, then within 2 %. */
  abstract uniques(metric: string, options?: UniqueOptions & DateRange): Promise<number>;
  /** Keeps facts that cannot be counted, with their values and types: a JSON object of at most 64 KiB. */
  abstract record(
    subject: string,
    key: string,
    facts: JsonObject,
    options?: { readonly at?: DateInput },
  ): Promise<void>;
  /** By time, then in the order of recording. */
  abstract facts(subject: string, key: string, range?: DateRange): Promise<RecordedFacts[]>;
  /** The same for every subject that has some. */
  abstract factsOf(key: string): Promise<Map<string, RecordedFacts[]>>;
  /**
   * Forgets the counters, members and facts of a subject, of a metric (or key of facts), of both together, or with `{}`
   * everything. A name that is present but undefined is refused: it would forget more than was meant.
   */
  abstract clear(what: { readonly subject?: string; readonly metric?: string }): Promise<void>;
  /** Closes the store, once. Later calls reject with a TrackingError `closed`. */
  abstract close(): Promise<void>;
}
