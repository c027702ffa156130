/** Days since 1970-01-01 of the proleptic Gregorian calendar, without any time zone. */
export type Day = number;

/** Months since January of the year 0. */
export type Month = number;

export interface CivilDate {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly dayOfMonth: number;
}

const DAY_TEXT = /^(\d{4})-(\d{2})-(\d{2})$/;
const DAYS_PER_ERA = 146_097;
/** From 0000-03-01, where an era begins, to 1970-01-01. */
const EPOCH_SHIFT = 719_468;

/** The first and the last day that have four digits for the year, less a day for the time zones. */
export const FIRST_DAY: Day = dayOf(1, 1, 2);
export const LAST_DAY: Day = dayOf(9999, 12, 30);

/** @param month 1 to 12 */
export function dayOf(year: number, month: number, dayOfMonth: number): Day {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + dayOfMonth - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * DAYS_PER_ERA + dayOfEra - EPOCH_SHIFT;
}

export function civilDate(day: Day): CivilDate {
  const shifted = day + EPOCH_SHIFT;
  const era = Math.floor(shifted / DAYS_PER_ERA);
  const dayOfEra = shifted - era * DAYS_PER_ERA;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9);
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    dayOfMonth: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
  };
}

export function monthOf(day: Day): Month {
  const { year, month } = civilDate(day);
  return year * 12 + month - 1;
}

export function firstDayOf(month: Month): Day {
  const year = Math.floor(month / 12);
  return dayOf(year, month - year * 12 + 1, 1);
}

/** The Monday on or before a day. 1970-01-01 was a Thursday. */
export function mondayOf(day: Day): Day {
  return day - modulo(day + 3, 7);
}

/** `YYYY-MM-DD`; `undefined` for any other text and for days that do not exist. */
export function parseDay(text: string): Day | undefined {
  const [, year, month, dayOfMonth] = (DAY_TEXT.exec(text) ?? []).map(Number);
  if (year === undefined || month === undefined || dayOfMonth === undefined || month < 1 || month > 12) {
    return undefined;
  }
  const day = dayOf(year, month, dayOfMonth);
  return civilDate(day).dayOfMonth === dayOfMonth ? day : undefined;
}

/** `YYYY-MM-DD` */
export function formatDay(day: Day): string {
  const { dayOfMonth } = civilDate(day);
  return `${formatMonth(monthOf(day))}-${twoDigits(dayOfMonth)}`;
}

/** `YYYY-MM` */
export function formatMonth(month: Month): string {
  const year = Math.floor(month / 12);
  return `${String(year).padStart(4, '0')}-${twoDigits(month - year * 12 + 1)}`;
}

export function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}
