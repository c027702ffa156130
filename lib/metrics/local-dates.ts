import { readOptions } from './arguments.js';
import type { Day } from './calendar.js';
import type { MetricsSettings } from './metrics-options.js';
import type { Span } from './metrics-store.js';
import { dayOfMoment, firstHourOf, hourOfMoment, msOfMoment, readDays, readMoment } from './moments.js';
import type { KeptFrom } from './retention.js';
import { keptFrom, since } from './retention.js';
import type { SeriesRequest } from './series-request.js';
import { readSeries } from './series-request.js';
import type { LocalHour } from './time-zone.js';

interface RangeOptions {
  readonly from?: unknown;
  readonly to?: unknown;
}

/** What callers mean by dates, as the metrics' own time zone and clock have it. A missing date is now. */
export class LocalDates {
  constructor(private readonly settings: Pick<MetricsSettings, 'zone' | 'clock' | 'keep'>) {}

  hourOf(at: unknown): LocalHour {
    const { zone } = this.settings;
    return at === undefined ? zone.hourAt(this.nowMs()) : hourOfMoment(readMoment('at', at), zone);
  }

  dayOf(at: unknown): Day {
    return at === undefined ? this.today() : dayOfMoment(readMoment('at', at), this.settings.zone);
  }

  firstHourOf(at: unknown): LocalHour {
    return firstHourOf(this.dayOf(at), this.settings.zone);
  }

  msOf(at: unknown): number {
    return at === undefined ? this.nowMs() : msOfMoment(readMoment('at', at), this.settings.zone);
  }

  /** The days of a range, as far as they are kept. */
  keptDays(range: RangeOptions): Span {
    const days = readDays(range, this.settings.zone, this.today()) ?? {};
    return since(days, this.kept().days);
  }

  seriesOf(options: unknown): SeriesRequest {
    return readSeries(options, this.settings.zone, this.nowMs());
  }

  /** From the first instant of the first day to the last of the last. */
  instantsOf({ from, to }: Span): Span {
    const { zone } = this.settings;
    return {
      ...(from === undefined ? {} : { from: zone.startOf(from) }),
      ...(to === undefined ? {} : { to: zone.startOf(to + 1) - 1 }),
    };
  }

  kept(): KeptFrom {
    return keptFrom(this.settings.keep, this.today());
  }

  private today(): Day {
    return this.settings.zone.hourAt(this.nowMs()).day;
  }

  private nowMs(): number {
    return this.settings.clock.now();
  }
}

/** @throws TypeError for anything but `{ from?, to? }` */
export function readRange(range: unknown): RangeOptions {
  return readOptions('range', range, ['from', 'to']);
}

/** From a day in the future up to now. */
export function isEmpty({ from = -Infinity, to = Infinity }: Span): boolean {
  return from > to;
}
