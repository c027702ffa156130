import type { Day } from './calendar.js';
import {
  civilDate,
  dayOf,
  firstDayOf,
  formatDay,
  formatMonth,
  mondayOf,
  monthOf,
  twoDigits,
} from './calendar.js';
import type { Granularity } from './metrics.js';

/** More in one series would block the process, and nobody looks at them. */
export const MAX_BUCKETS = 100_000;

/** How hours are not derived from days. */
export type DayGranularity = Exclude<Granularity, 'hour'>;

export const GRANULARITIES: readonly Granularity[] = ['hour', 'day', 'week', 'month', 'year'];

/** Where each kind of bucket lies: numbered without gaps, each with the day with which it begins. */
interface Bucketing {
  readonly indexOf: (day: Day) => number;
  readonly startOf: (index: number) => Day;
}

/** 1970-01-05: a Monday. */
const FIRST_MONDAY: Day = 4;

const BUCKETINGS: Readonly<Record<DayGranularity, Bucketing>> = {
  day: { indexOf: (day) => day, startOf: (index) => index },
  week: {
    indexOf: (day) => (mondayOf(day) - FIRST_MONDAY) / 7,
    startOf: (index) => FIRST_MONDAY + index * 7,
  },
  month: { indexOf: monthOf, startOf: firstDayOf },
  year: {
    indexOf: (day) => civilDate(day).year,
    startOf: (year) => dayOf(year, 1, 1),
  },
};

/** Buckets of whole days, one after the other. */
export interface DayBuckets {
  readonly from: Day;
  /** The last day of the last one. */
  readonly to: Day;
  readonly count: number;
  /** The first day of the nth, from 0; one more than there are is the end. */
  startOf(nth: number): Day;
  label(nth: number): string;
}

/** @param length how many there are, or the day that the last one holds */
export function dayBuckets(
  by: DayGranularity,
  from: Day,
  length: { readonly limit: number } | { readonly to: Day },
): DayBuckets {
  const { indexOf, startOf } = BUCKETINGS[by];
  const first = indexOf(from);
  const count = Math.max(0, 'limit' in length ? length.limit : indexOf(length.to) - first + 1);
  const labels = by === 'day' ? dayLabels() : formatDay;
  return {
    from: startOf(first),
    to: startOf(first + count) - 1,
    count,
    startOf: (nth) => startOf(first + nth),
    label: (nth) => labels(startOf(first + nth)),
  };
}

/** Labels of days that mostly follow each other: ten years of them cost as much as the values. */
function dayLabels(): (day: Day) => string {
  let prefix = '';
  let monthStart: Day = 0;
  let monthEnd: Day = -1;
  return (day) => {
    if (day < monthStart || day >= monthEnd) {
      const month = monthOf(day);
      prefix = `${formatMonth(month)}-`;
      monthStart = firstDayOf(month);
      monthEnd = firstDayOf(month + 1);
    }
    return prefix + twoDigits(day - monthStart + 1);
  };
}
