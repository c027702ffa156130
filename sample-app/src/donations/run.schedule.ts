import type { OnApplicationShutdown } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Tracker, WithContext } from 'nestjs-tracking';
import { RunsService } from './runs.service.js';

/** What happens outside any request: `@WithContext` says in the events what they belong to. */
@Injectable()
export class RunSchedule implements OnApplicationShutdown {
  constructor(
    private readonly runs: RunsService,
    private readonly tracker: Tracker,
  ) {}

  @Interval(120_000)
  @WithContext('job', { job: { name: 'next-run' } })
  startNextRun(): void {
    const { id, game } = this.runs.next();
    this.tracker.emit('run.started', { run: id, game });
  }

  /** Tracked while the app shuts down: it is still delivered. */
  @WithContext('job', { job: { name: 'shutdown' } })
  onApplicationShutdown(): void {
    const raisedCents = this.runs.all.reduce((sum, run) => sum + run.raisedCents, 0);
    this.tracker.emit('marathon.stopped', { raisedCents });
  }
}
