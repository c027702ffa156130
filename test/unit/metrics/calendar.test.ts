import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  civilDate,
  dayOf,
  firstDayOf,
  formatDay,
  mondayOf,
  monthOf,
  parseDay,
} from '../../../lib/metrics/calendar.js';

const DAY_MS = 86_400_000;
const day = fc.integer({ min: -719_000, max: 2_900_000 });

describe('days', () => {
  it('are those of JavaScript', () => {
    fc.assert(
      fc.property(day, (value) => {
        const date = new Date(value * DAY_MS);
        const { year, month, dayOfMonth } = civilDate(value);

        expect(formatDay(value)).toBe(date.toISOString().slice(0, 10));
        expect(year).toBe(date.getUTCFullYear());
        expect(dayOf(year, month, dayOfMonth)).toBe(value);
        expect(parseDay(formatDay(value))).toBe(value);
        expect(monthOf(firstDayOf(monthOf(value)))).toBe(monthOf(value));
      }),
    );
  });

  it.each([
    ['2012-04-01', '2012-03-26'],
    ['2012-04-02', '2012-04-02'],
    ['2012-04-08', '2012-04-02'],
    ['2012-01-01', '2011-12-26'],
    ['1969-12-31', '1969-12-29'],
  ])('of the week of %s begin on Monday %s', (date, monday) => {
    expect(formatDay(mondayOf(parseDay(date) ?? 0))).toBe(monday);
  });

  it.each([
    ...['2026-02-29', '2026-13-01', '2026-00-10', '2026-04-31', '2026-01-00'],
    ...['26-01-01', '2026-1-1', '2026-01-01T00', ' 2026-01-01', '', 'today'],
  ])('are not %j', (text) => {
    expect(parseDay(text)).toBeUndefined();
  });
});
