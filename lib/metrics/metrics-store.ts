import type { Day } from './calendar.js';

/** What is counted, and for whom. */
export interface Counter {
  readonly subject: string;
  readonly metric: string;
}

/** One addition to a counter. Without a day it concerns the all-time total alone. */
export interface Change extends Counter {
  readonly by: number;
  readonly day?: Day;
  /** 0 to 23; given with every day. */
  readonly hour?: number;
}

/** What a day's value is to become. The difference goes into the total, and into the hour: the day's first. */
export interface DaySetting extends Counter {
  readonly day: Day;
  readonly hour: number;
  readonly value: number;
}

/** Whose members are distinct: those of a metric as a whole, or of one subject. */
export interface UniqueKey {
  readonly metric: string;
  readonly subject?: string;
}

/** Members seen on one day, each as a hash of 53 bits (`memberHash`). */
export interface MembersOfDay extends UniqueKey {
  readonly day: Day;
  readonly hashes: readonly number[];
}

export interface FactsKey {
  readonly subject: string;
  readonly key: string;
}

/** Facts as they are stored: JSON, with the moment in epoch milliseconds. */
export interface StoredFacts {
  readonly atMs: number;
  readonly json: string;
}

export interface FactsRecord extends FactsKey, StoredFacts {}

/** Values that lie together: the days of a month (31, the first at 0), or the hours of a day (24). */
export interface Block {
  /** The month of days, the day of hours. */
  readonly at: number;
  readonly values: ArrayLike<number>;
}

/** Both ends inclusive; a missing end is open. */
export interface Span {
  readonly from?: number;
  readonly to?: number;
}

/** For how many days hours and days are kept; `undefined` for ever. */
export interface KeepDays {
  readonly hours?: number | undefined;
  readonly days?: number | undefined;
}

/** Names one write over all attempts at it: who writes, and its number among theirs, from 0. */
export interface WriteId {
  readonly writer: string;
  readonly nth: number;
}

export interface WriteOptions {
  /** The same for each attempt at one write, so that a store whose answer was lost does not do it twice. */
  readonly once?: WriteId;
  readonly keep: KeepDays;
  readonly today: Day;
}

export const DAYS_PER_BLOCK = 31;
export const HOURS_PER_BLOCK = 24;

/**
 * Where counters are kept. Everything about calendars, time zones, ranges and arguments is decided before; a store adds,
 * replaces and reads.
 *
 * Invariants
 * - One call takes effect as a whole or not at all; where a store spreads subjects over machines, that holds for each
 *   subject.
 * - What a call has resolved for is seen by every later one, in this process and in others on the same store.
 * - Calls do not lose each other's changes, whichever process they come from.
 * - Values are safe integers. A change that would lead beyond is refused as a RangeError, and nothing of its call is
 *   written.
 * - Names are any well-formed text of 1 to 512 bytes, never part of another.
 */
export interface MetricsStore {
  /** Adds, and answers the new totals in the order of the changes. */
  increment(changes: readonly Change[], options: WriteOptions): Promise<readonly number[]>;
  set(setting: DaySetting, options: WriteOptions): Promise<void>;
  /** 0 for what was never counted. */
  totals(counters: readonly Counter[]): Promise<readonly number[]>;
  /** Blocks of days per counter, ascending; the span is one of months. Blocks of zeros may be missing. */
  days(counters: readonly Counter[], months: Span): Promise<readonly (readonly Block[])[]>;
  /** Blocks of hours per counter, ascending; the span is one of days. */
  hours(counters: readonly Counter[], days: Required<Span>): Promise<readonly (readonly Block[])[]>;
  addMembers(groups: readonly MembersOfDay[], options: WriteOptions): Promise<void>;
  /** How many distinct members were seen on these days: exact up to 1,000, then within 2 %. */
  countMembers(unique: UniqueKey, days: Span): Promise<number>;
  record(records: readonly FactsRecord[], options: WriteOptions): Promise<void>;
  /** By time, then in the order of recording; the span is one of epoch milliseconds. */
  facts(key: FactsKey, times: Span): Promise<readonly StoredFacts[]>;
  /** The same by subject; subjects without facts are left out. */
  factsOf(key: string, times: Span): Promise<ReadonlyMap<string, readonly StoredFacts[]>>;
  /** Forgets counters, members and facts of a subject, a metric (or key), both, or everything. */
  clear(what: Partial<Counter>): Promise<void>;
  /**
   * Removes a bounded part of what lies before these days; answers whether nothing is left to remove. Reading never
   * depends on it.
   */
  prune(before: { readonly hours?: Day | undefined; readonly days?: Day | undefined }): Promise<boolean>;
  close(): Promise<void>;
}

/** What stores reject with when a value would no longer be exact. */
export class OverflowError extends RangeError {
  override readonly name = 'RangeError';

  /** @param subjects those of which nothing was written, where the store wrote what concerned others */
  constructor(
    { subject, metric }: Counter,
    readonly subjects?: ReadonlySet<string>,
  ) {
    super(
      `expected ${JSON.stringify(metric)} of ${JSON.stringify(subject)} to stay a safe integer; nothing was written`,
    );
  }
}
