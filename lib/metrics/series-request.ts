import { outOfRange, readInteger, readOptions, wrongType } from './arguments.js';
import type { DayBuckets } from './buckets.js';
import { dayBuckets, GRANULARITIES, MAX_BUCKETS } from './buckets.js';
import type { Granularity } from './metrics.js';
import type { Moment } from './moments.js';
import { dayOfMoment, hourOfMoment, readMoment } from './moments.js';
import type { LocalHour, TimeZone } from './time-zone.js';

/** The buckets of a series: hours, or runs of days. */
export type SeriesRequest =
  | { readonly hours: readonly LocalHour[]; readonly buckets?: never }
  | { readonly hours?: never; readonly buckets: DayBuckets };

const KNOWN = ['by', 'from', 'to', 'limit'] as const;

/** @throws TypeError or RangeError */
export function readSeries(options: unknown, zone: TimeZone, nowMs: number): SeriesRequest {
  const { by, from, to, limit } = readOptions('options', options, KNOWN);
  const granularity = readGranularity(by);
  const start = readMoment('from', from);
  if (limit !== undefined) {
    if (to !== undefined) {
      throw wrongType('to', 'left out beside limit', to);
    }
    return request(granularity, start, { limit: readLimit(limit) }, zone);
  }
  const end = to === undefined ? { ms: nowMs } : readMoment('to', to);
  const ordered =
    to !== undefined && isBefore(end, start, zone) ? { start: end, end: start } : { start, end };
  return request(granularity, ordered.start, { to: ordered.end }, zone);
}

function readGranularity(value: unknown): Granularity {
  const expected = `one of ${GRANULARITIES.join(', ')}`;
  if (typeof value !== 'string') {
    throw wrongType('by', expected, value);
  }
  const found = GRANULARITIES.find((name) => name === value);
  if (found === undefined) {
    throw outOfRange('by', expected, value);
  }
  return found;
}

function readLimit(value: unknown): number {
  const limit = readInteger('limit', value);
  if (limit < 1 || limit > MAX_BUCKETS) {
    throw outOfRange('limit', `between 1 and ${MAX_BUCKETS}`, limit);
  }
  return limit;
}

type Length = { readonly limit: number } | { readonly to: Moment };

function request(by: Granularity, from: Moment, length: Length, zone: TimeZone): SeriesRequest {
  if (by === 'hour') {
    return { hours: hoursFrom(hourOfMoment(from, zone), length, zone) };
  }
  const buckets = dayBuckets(
    by,
    dayOfMoment(from, zone),
    'limit' in length ? length : { to: dayOfMoment(length.to, zone) },
  );
  checkCount(buckets.count);
  return { buckets };
}

function hoursFrom(from: LocalHour, length: Length, zone: TimeZone): readonly LocalHour[] {
  const end = 'limit' in length ? undefined : lastHourOf(length.to, zone);
  const limit = 'limit' in length ? length.limit : Infinity;
  if (end !== undefined) {
    checkCount((end.day - from.day) * 24);
  }
  const hours: LocalHour[] = [];
  for (let { day } = from; end === undefined || day <= end.day; day++) {
    for (const hour of zone.hoursOf(day)) {
      const isLater = day === end?.day && hour > end.hour;
      if (hours.length === limit || isLater) {
        return hours;
      }
      if (day > from.day || hour >= from.hour) {
        hours.push({ day, hour });
      }
    }
  }
  return hours;
}

/** A day as a whole ends with its last hour. */
function lastHourOf(moment: Moment, zone: TimeZone): LocalHour {
  return moment.ms === undefined ? { day: moment.day, hour: 23 } : zone.hourAt(moment.ms);
}

function isBefore(a: Moment, b: Moment, zone: TimeZone): boolean {
  const [first, second] = [hourOfMoment(a, zone), hourOfMoment(b, zone)];
  return (
    first.day < second.day || (first.day === second.day && first.hour < second.hour && a.ms !== undefined)
  );
}

function checkCount(count: number): void {
  if (count > MAX_BUCKETS) {
    throw outOfRange('to', `at most ${MAX_BUCKETS} buckets after from`, count);
  }
}
