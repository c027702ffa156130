import { Injectable, ServiceUnavailableException } from '@nestjs/common';
import type { CounterKey, Metrics, SeriesOptions } from 'nestjs-tracking';
import { InjectMetrics } from 'nestjs-tracking';
import { RunsStore } from '../runs/runs.store.js';
import { AMOUNT_CENTS, DONATIONS, DONORS, MARATHON, subjectOf } from './donation-counters.js';
import type { Bucket, Counted, Stats } from './stats.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DAYS = 7;
const HOURS = 24;

/** Reads what `DONATION_RULES` counted: since the beginning, whatever process it was that counted. */
@Injectable()
export class StatsService {
  constructor(
    private readonly runs: RunsStore,
    @InjectMetrics() private readonly metrics: Metrics,
  ) {}

  /** @throws ServiceUnavailableException when the counters cannot be reached */
  async read(): Promise<Stats> {
    const nowMs = Date.now();
    try {
      const [marathon, ...runs] = await Promise.all([
        this.countedFor(MARATHON, nowMs),
        ...this.runs.all().map(async ({ id }) => ({
          run: id,
          ...(await this.countedFor(subjectOf(id), nowMs)),
        })),
      ]);
      return {
        ...marathon,
        topRuns: runs.sort((a, b) => b.amountCents - a.amountCents),
      };
    } catch (cause) {
      throw new ServiceUnavailableException(
        'the counters cannot be read now; donations are counted all the same',
        { cause },
      );
    }
  }

  private async countedFor(subject: string, nowMs: number): Promise<Counted> {
    const counters: readonly CounterKey[] = [
      [subject, DONATIONS],
      [subject, AMOUNT_CENTS],
    ];
    const [totals, donors, days, hours] = await Promise.all([
      this.metrics.totals(counters),
      this.metrics.uniques(DONORS, { subject }),
      this.bucketsOf(counters, {
        by: 'day',
        from: nowMs - (DAYS - 1) * DAY_MS,
        limit: DAYS,
      }),
      this.bucketsOf(counters, {
        by: 'hour',
        from: nowMs - (HOURS - 1) * HOUR_MS,
        limit: HOURS,
      }),
    ]);
    const [donations = 0, amountCents = 0] = totals;
    return { donations, amountCents, donors, days, hours };
  }

  private async bucketsOf(counters: readonly CounterKey[], options: SeriesOptions): Promise<Bucket[]> {
    const [donations = [], amounts = []] = await this.metrics.seriesMany(counters, options);
    return donations.map(({ bucket, value }, index) => ({
      bucket,
      donations: value,
      amountCents: amounts[index]?.value ?? 0,
    }));
  }
}
