import { describeValue } from '../core/describe.js';
import { UsageError } from './command-errors.js';

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/;
const DAY_MS = 24 * 60 * 60 * 1_000;

/**
 * A point in time as it is typed, in epoch milliseconds. A day is taken in UTC, and is its first or last millisecond.
 *
 * @throws UsageError
 */
export function timeOf(option: string, text: string, end: boolean): number {
  const time = DAY.test(text)
    ? dayOf(text, end)
    : ISO.test(text)
      ? Date.parse(text)
      : /^\d{1,15}$/.test(text)
        ? Number(text)
        : NaN;
  if (Number.isNaN(time)) {
    throw new UsageError(
      `expected ${option} to be a day (2026-01-31), a time with its zone (2026-01-31T12:00:00Z) or epoch milliseconds, got ${describeValue(text)}`,
    );
  }
  return time;
}

/** `Date.parse` takes the 31st of February for the 3rd of March. */
function dayOf(text: string, end: boolean): number {
  const start = Date.parse(text);
  return !Number.isNaN(start) && new Date(start).toISOString().startsWith(text)
    ? start + (end ? DAY_MS - 1 : 0)
    : NaN;
}
