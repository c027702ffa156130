import type { BeforeApplicationShutdown } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { Tracker } from 'nestjs-tracking';
import { InjectTracker, WithContext } from 'nestjs-tracking';
import { TotalsStore } from '../donations/totals.store.js';
import { RunsStore } from '../runs/runs.store.js';

const TICK_MS = 30_000;
const TICKS_PER_RUN = 4;

/** What happens without anybody asking: no request, so the decorator gives these events their context. */
@Injectable()
export class MarathonTick implements BeforeApplicationShutdown {
  private ticks = 0;

  constructor(
    private readonly runs: RunsStore,
    private readonly totals: TotalsStore,
    @InjectTracker() private readonly tracker: Tracker,
  ) {}

  @Interval(TICK_MS)
  @WithContext('job', { job: { name: 'tick', everyMs: TICK_MS } })
  tick(): void {
    this.tracker.emit('marathon.heartbeat', this.totals.ofAll());
    if (++this.ticks % TICKS_PER_RUN === 0) {
      const { id, game } = this.runs.advance();
      this.tracker.emit('run.started', { run: id, game });
    }
  }

  /** Tracked while the app goes down: it still arrives. */
  @WithContext('job', { job: { name: 'shutdown' } })
  beforeApplicationShutdown(): void {
    this.tracker.emit('marathon.stopped', this.totals.ofAll());
  }
}
