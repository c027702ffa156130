import type { Day } from './calendar.js';
import { dayOf } from './calendar.js';

/** An hour as the clocks of a time zone show it. */
export interface LocalHour {
  readonly day: Day;
  /** 0 to 23. */
  readonly hour: number;
}

export const HOURS_PER_DAY = 24;
export const DAY_MS = 86_400_000;

const HOUR_MS = 3_600_000;
/** Clocks have changed at quarters of an hour since time zones are zones. */
const STEP_MS = 900_000;
/** No place is further than that from UTC. */
const MAX_OFFSET_MS = 15 * HOUR_MS;
const MAX_CACHED = 10_000;

const ALL_HOURS: readonly number[] = Array.from({ length: HOURS_PER_DAY }, (_, hour) => hour);

/** @throws RangeError for a name that the system does not know */
export function timeZone(name: string): TimeZone {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return new TimeZone(format.resolvedOptions().timeZone === 'UTC' ? () => 0 : (ms) => offsetBy(format, ms));
}

/** Milliseconds that the clocks are ahead of UTC. */
function offsetBy(format: Intl.DateTimeFormat, ms: number): number {
  const seconds = Math.floor(ms / 1_000);
  const parts: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
  for (const { type, value } of format.formatToParts(seconds * 1_000)) {
    parts[type] = Number(value);
  }
  const { year = 0, month = 1, day = 1, hour = 0 } = parts;
  const { minute = 0, second = 0 } = parts;
  const local = ((dayOf(year, month, day) * HOURS_PER_DAY + hour) * 60 + minute) * 60 + second;
  return (local - seconds) * 1_000;
}

/** Between instants and the days and hours of one place, daylight saving included. */
export class TimeZone {
  /** By UTC hour; `undefined` where the clocks change in the midst of it. */
  private readonly offsets = new Map<number, number | undefined>();
  /** Most questions are about the same hour as the one before. */
  private latest = {
    fromMs: Infinity,
    untilMs: -Infinity,
    hour: { day: 0, hour: 0 },
  };

  constructor(private readonly offsetOf: (ms: number) => number) {}

  hourAt(ms: number): LocalHour {
    const { latest } = this;
    if (ms >= latest.fromMs && ms < latest.untilMs) {
      return latest.hour;
    }
    const offset = this.offset(ms);
    const hours = Math.floor((ms + offset) / HOUR_MS);
    const day = Math.floor(hours / HOURS_PER_DAY);
    const hour = { day, hour: hours - day * HOURS_PER_DAY };
    this.remember(hour, hours * HOUR_MS - offset, Math.floor(ms / HOUR_MS));
    return hour;
  }

  /** The first instant of a day; of a day that was skipped, that of the next. */
  startOf(day: Day): number {
    const midnight = day * DAY_MS;
    const steady = this.steadyOffset(day);
    if (steady !== undefined) {
      return midnight - steady;
    }
    let ms = midnight - MAX_OFFSET_MS;
    while (this.hourAt(ms).day < day) {
      ms += STEP_MS;
    }
    return ms;
  }

  /** The hours that a day has: none of those that clocks skip, those that they repeat once. */
  hoursOf(day: Day): readonly number[] {
    if (this.steadyOffset(day) !== undefined) {
      return ALL_HOURS;
    }
    const hours = new Set<number>();
    const start = this.startOf(day);
    for (let ms = start; ms < start + 2 * DAY_MS; ms += STEP_MS) {
      const local = this.hourAt(ms);
      if (local.day === day) {
        hours.add(local.hour);
      }
    }
    return [...hours].sort((a, b) => a - b);
  }

  /** As far as the local hour lies in a UTC hour in which clocks do not change. */
  private remember(hour: LocalHour, startMs: number, utcHour: number): void {
    if (this.offsets.get(utcHour) !== undefined) {
      this.latest = {
        fromMs: Math.max(startMs, utcHour * HOUR_MS),
        untilMs: Math.min(startMs, utcHour * HOUR_MS) + HOUR_MS,
        hour,
      };
    }
  }

  /** The offset of a day around which the clocks do not change. */
  private steadyOffset(day: Day): number | undefined {
    const before = this.offset(day * DAY_MS - MAX_OFFSET_MS);
    const after = this.offset((day + 1) * DAY_MS + MAX_OFFSET_MS);
    return before === after ? before : undefined;
  }

  private offset(ms: number): number {
    const hour = Math.floor(ms / HOUR_MS);
    if (!this.offsets.has(hour)) {
      if (this.offsets.size >= MAX_CACHED) {
        this.offsets.clear();
      }
      const first = this.offsetOf(hour * HOUR_MS);
      const last = this.offsetOf(hour * HOUR_MS + HOUR_MS - 1);
      this.offsets.set(hour, first === last ? first : undefined);
    }
    return this.offsets.get(hour) ?? this.offsetOf(ms);
  }
}
