import type { Day } from '../metrics/calendar.js';
import { firstDayOf, monthOf } from '../metrics/calendar.js';
import type { WriteOptions } from '../metrics/metrics-store.js';
import { lifeOf } from './redis-lives.js';

/** An hour as the scripts about counters take it, see `lua-counters.ts`. */
export type RedisMoment = readonly [
  index: string,
  days: string,
  hours: string,
  hour: string,
  month: string,
  firstDay: string,
  lifeOfDays: number,
  lifeOfHours: number,
];

export function redisMoment(day: Day, hour: number, { keep, today }: WriteOptions): RedisMoment {
  const month = monthOf(day);
  const first = firstDayOf(month);
  // The days of a month go when its last one does.
  const last = firstDayOf(month + 1) - 1;
  return [
    `#${day - first}`,
    `:d:${month}:`,
    `:h:${day}:`,
    String(hour),
    String(month),
    String(first),
    lifeOf(last, keep.days, today),
    lifeOf(day, keep.hours, today),
  ];
}
