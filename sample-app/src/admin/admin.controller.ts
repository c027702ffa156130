import { Controller, Get, UseGuards } from '@nestjs/common';
import type { Tracker, TrackerStats } from 'nestjs-tracking';
import { InjectTracker, Track } from 'nestjs-tracking';
import { AdminGuard } from '../auth/admin.guard.js';
import type { Total } from '../donations/donation.js';
import { TotalsStore } from '../donations/totals.store.js';
import { RunsStore } from '../runs/runs.store.js';

export interface Totals extends Total {
  readonly runs: readonly (Total & { readonly run: string })[];
}

@Controller('admin')
@UseGuards(AdminGuard)
export class AdminController {
  constructor(
    private readonly runs: RunsStore,
    private readonly totals: TotalsStore,
    @InjectTracker() private readonly tracker: Tracker,
  ) {}

  @Get('totals')
  @Track('totals.read', {
    data: ({ totalCents }: Totals) => ({ totalCents }),
  })
  readTotals(): Totals {
    return {
      ...this.totals.ofAll(),
      runs: this.runs.all().map(({ id }) => ({ run: id, ...this.totals.ofRun(id) })),
    };
  }

  /** What became of the events: the sponsor's failures are under `backends["sponsor/wall"].dropped`. */
  @Get('stats')
  @Track('stats.read', {
    data: ({ accepted }: TrackerStats) => ({ accepted }),
  })
  readStats(): TrackerStats {
    return this.tracker.stats();
  }
}
