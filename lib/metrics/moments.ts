import { outOfRange, wrongType } from './arguments.js';
import type { Day } from './calendar.js';
import { FIRST_DAY, LAST_DAY, parseDay } from './calendar.js';
import type { Span } from './metrics-store.js';
import type { LocalHour, TimeZone } from './time-zone.js';
import { DAY_MS } from './time-zone.js';

const EXPECTED = 'a Date, epoch milliseconds or YYYY-MM-DD';
const YEARS = 'a date of the years 1 to 9999';

/** What a caller means by a date: an instant, or a day as a whole. */
export type Moment = { readonly ms: number } | { readonly ms?: never; readonly day: Day };

/** @throws TypeError or RangeError */
export function readMoment(option: string, value: unknown): Moment {
  if (typeof value === 'string') {
    const day = parseDay(value);
    if (day === undefined) {
      throw outOfRange(option, EXPECTED, value);
    }
    return { day: checkedDay(option, day, value) };
  }
  const ms: unknown = value instanceof Date ? value.getTime() : value;
  if (typeof ms !== 'number') {
    throw wrongType(option, EXPECTED, value);
  }
  if (!Number.isFinite(ms)) {
    throw outOfRange(option, EXPECTED, ms);
  }
  checkedDay(option, Math.floor(ms / DAY_MS), value);
  return { ms };
}

function checkedDay(option: string, day: Day, given: unknown): Day {
  if (day < FIRST_DAY || day > LAST_DAY) {
    throw outOfRange(option, YEARS, given);
  }
  return day;
}

export function dayOfMoment(moment: Moment, zone: TimeZone): Day {
  return moment.ms === undefined ? moment.day : zone.hourAt(moment.ms).day;
}

/** A day as a whole stands for its first hour. */
export function hourOfMoment(moment: Moment, zone: TimeZone): LocalHour {
  return moment.ms === undefined ? firstHourOf(moment.day, zone) : zone.hourAt(moment.ms);
}

/** A day that clocks skip has no hour: it gets one nonetheless. */
export function firstHourOf(day: Day, zone: TimeZone): LocalHour {
  return { day, hour: zone.hoursOf(day)[0] ?? 0 };
}

export function msOfMoment(moment: Moment, zone: TimeZone): number {
  return moment.ms ?? zone.startOf(moment.day);
}

/**
 * The days of a range: both ends inclusive, in either order; one open end reaches to the first record, or to today.
 * `undefined` when neither end is given.
 */
export function readDays(
  range: { readonly from?: unknown; readonly to?: unknown },
  zone: TimeZone,
  today: Day,
): Span | undefined {
  const day = (option: 'from' | 'to'): Day | undefined =>
    range[option] === undefined ? undefined : dayOfMoment(readMoment(option, range[option]), zone);
  const from = day('from');
  const to = day('to');
  if (from === undefined) {
    return to === undefined ? undefined : { to };
  }
  return to === undefined ? { from, to: today } : { from: Math.min(from, to), to: Math.max(from, to) };
}
