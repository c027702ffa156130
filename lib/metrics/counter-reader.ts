import { daySeries, hourSeries, monthsOf, sumOfDays } from './block-sums.js';
import type { DayBuckets } from './buckets.js';
import type { LocalDates } from './local-dates.js';
import { isEmpty, readRange } from './local-dates.js';
import type { SeriesPoint } from './metrics.js';
import type { Counter } from './metrics-store.js';
import type { MetricsWriter } from './metrics-writer.js';
import type { LocalHour } from './time-zone.js';

/** What counters say: totals, sums and series. */
export class CounterReader {
  constructor(
    private readonly writer: MetricsWriter,
    private readonly dates: LocalDates,
  ) {}

  async totals(counters: readonly Counter[]): Promise<number[]> {
    return [...(await this.writer.store.totals(counters))];
  }

  /** The sums of some days; without a range the totals. */
  async sums(counters: readonly Counter[], range: unknown): Promise<number[]> {
    const { from, to } = readRange(range);
    if (from === undefined && to === undefined) {
      return this.totals(counters);
    }
    const days = this.dates.keptDays({ from, to });
    if (isEmpty(days)) {
      return counters.map(() => 0);
    }
    const found = await this.writer.store.days(counters, monthsOf(days));
    return found.map((blocks) => sumOfDays(blocks, days));
  }

  async points(counters: readonly Counter[], options: unknown): Promise<SeriesPoint[][]> {
    const { hours, buckets } = this.dates.seriesOf(options);
    return hours === undefined ? this.pointsOfDays(counters, buckets) : this.pointsOfHours(counters, hours);
  }

  private async pointsOfDays(counters: readonly Counter[], buckets: DayBuckets): Promise<SeriesPoint[][]> {
    const kept = this.dates.kept().days;
    const found =
      buckets.count === 0
        ? counters.map(() => [])
        : await this.writer.store.days(counters, monthsOf(buckets));
    return found.map((blocks) => daySeries(blocks, buckets, kept));
  }

  private async pointsOfHours(
    counters: readonly Counter[],
    hours: readonly LocalHour[],
  ): Promise<SeriesPoint[][]> {
    const kept = this.dates.kept().hours;
    const first = hours[0]?.day;
    const last = hours.at(-1)?.day;
    const found =
      first === undefined || last === undefined
        ? counters.map(() => [])
        : await this.writer.store.hours(counters, { from: first, to: last });
    return found.map((blocks) => hourSeries(blocks, hours, kept));
  }
}
