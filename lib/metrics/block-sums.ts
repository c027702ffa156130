import type { Day } from './calendar.js';
import { firstDayOf, formatDay, monthOf, twoDigits } from './calendar.js';
import type { DayBuckets } from './buckets.js';
import type { SeriesPoint } from './metrics.js';
import type { Block, Span } from './metrics-store.js';
import type { LocalHour } from './time-zone.js';

/** The months whose blocks hold the days. */
export function monthsOf({ from, to }: Span): Span {
  return {
    ...(from === undefined ? {} : { from: monthOf(from) }),
    ...(to === undefined ? {} : { to: monthOf(to) }),
  };
}

/** The sum of the days of a span. */
export function sumOfDays(blocks: readonly Block[], span: Span): number {
  const { from = -Infinity, to = Infinity } = span;
  let sum = 0;
  for (const { at, values } of blocks) {
    const start = firstDayOf(at);
    const first = Math.max(0, from - start);
    const last = Math.min(firstDayOf(at + 1) - 1, to) - start;
    for (let index = first; index <= last; index++) {
      sum += values[index] as number;
    }
  }
  return sum;
}

/** The value of each bucket, in order. @param kept days before it count as 0 */
export function daySeries(blocks: readonly Block[], buckets: DayBuckets, kept: Day): SeriesPoint[] {
  const values = valuesOfDays(blocks, buckets, kept);
  const points: SeriesPoint[] = [];
  let start = buckets.startOf(0);
  for (let nth = 0; nth < buckets.count; nth++) {
    const end = buckets.startOf(nth + 1);
    let value = 0;
    for (let day = start; day < end; day++) {
      value += values[day - buckets.from] as number;
    }
    points.push({ bucket: buckets.label(nth), value });
    start = end;
  }
  return points;
}

function valuesOfDays(blocks: readonly Block[], { from, to }: DayBuckets, kept: Day): Float64Array {
  const values = new Float64Array(Math.max(0, to - from + 1));
  for (const block of blocks) {
    const start = firstDayOf(block.at);
    const first = Math.max(0, from - start, kept - start);
    const last = Math.min(firstDayOf(block.at + 1) - 1, to) - start;
    for (let index = first; index <= last; index++) {
      values[start + index - from] = block.values[index] as number;
    }
  }
  return values;
}

/** The value of each hour, in order. @param kept hours of days before it count as 0 */
export function hourSeries(blocks: readonly Block[], hours: readonly LocalHour[], kept: Day): SeriesPoint[] {
  const byDay = new Map(blocks.map(({ at, values }) => [at, values]));
  let label = '';
  let labelled: Day | undefined;
  return hours.map(({ day, hour }) => {
    if (day !== labelled) {
      labelled = day;
      label = formatDay(day);
    }
    return {
      bucket: `${label}T${twoDigits(hour)}`,
      value: day < kept ? 0 : (byDay.get(day)?.[hour] ?? 0),
    };
  });
}
