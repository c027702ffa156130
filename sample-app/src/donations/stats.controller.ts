import { Controller, DefaultValuePipe, Get, ParseEnumPipe, Query } from '@nestjs/common';
import { Metrics, Track, Tracker } from 'nestjs-tracking';
import { ALL_RUNS } from '../tracking/tracking.options.js';
import { RunsService } from './runs.service.js';

/** How many days back a series begins. */
const SPAN_DAYS = { day: 6, week: 28, month: 365 };
type Period = keyof typeof SPAN_DAYS;

@Controller('stats')
export class StatsController {
  constructor(
    private readonly metrics: Metrics,
    private readonly runs: RunsService,
    private readonly tracker: Tracker,
  ) {}

  /** What was given since the first evening, whichever process counted it: in all, and for each run. */
  @Get()
  @Track('stats.viewed')
  async readStats(
    @Query('by', new DefaultValuePipe('day'), new ParseEnumPipe(Object.keys(SPAN_DAYS))) by: Period,
  ) {
    // What was tracked up to now is counted first: counters are written in batches.
    await this.tracker.backend('counters').flush?.({ timeoutMs: 1000 });
    return Promise.all([ALL_RUNS, ...this.runs.all.map(({ id }) => id)].map((of) => this.statsOf(of, by)));
  }

  private async statsOf(of: string, by: Period) {
    const [donations, amountCents, donors, series] = await Promise.all([
      this.metrics.total(of, 'donations'),
      this.metrics.total(of, 'amountCents'),
      this.metrics.uniques('donors', { subject: of }),
      // The amount of each day, week or month (UTC), which is named after its first day.
      this.metrics.series(of, 'amountCents', { by, from: Date.now() - SPAN_DAYS[by] * 86_400_000 }),
    ]);
    return { of, donations, amountCents, donors, series };
  }
}
