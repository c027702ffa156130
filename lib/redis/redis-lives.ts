import type { Day } from '../metrics/calendar.js';
import type { WriteOptions } from '../metrics/metrics-store.js';
import { DAY_MS } from '../metrics/time-zone.js';

const DAY_SECONDS = DAY_MS / 1_000;
/** For time zones, and clocks that differ. */
const SPARE_DAYS = 2;

/** How long something of a day is to be kept from now on, in seconds; 0 for ever. */
export function lifeOf(day: Day, keepDays: number | undefined, today: Day): number {
  return keepDays === undefined ? 0 : Math.max(1, (day + keepDays + SPARE_DAYS - today) * DAY_SECONDS);
}

/** The moment before which facts are removed; 0 for none. */
export function factsBefore({ keep, today }: Pick<WriteOptions, 'keep' | 'today'>): number {
  return keep.days === undefined ? 0 : (today - keep.days - SPARE_DAYS) * DAY_MS;
}
