import { Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import { Track } from 'nestjs-tracking';
import { AdminGuard } from '../auth/admin.guard.js';
import { CollectorProcess } from '../collector/collector.process.js';

/** Whether the process of the collector runs. */
export interface CollectorState {
  readonly running: boolean;
  readonly pid?: number;
}

/** Lets whoever tries this out see an outage: what happens in the meantime waits on the disk. */
@Controller('collector')
@UseGuards(AdminGuard)
export class CollectorController {
  constructor(private readonly collector: CollectorProcess) {}

  @Post('stop')
  @HttpCode(200)
  @Track('collector.stopped', {
    data: ({ running }: CollectorState) => ({ running }),
  })
  async stop(): Promise<CollectorState> {
    await this.collector.stop();
    return this.state();
  }

  @Post('start')
  @HttpCode(200)
  @Track('collector.started', {
    data: ({ running }: CollectorState) => ({ running }),
  })
  async start(): Promise<CollectorState> {
    await this.collector.start();
    return this.state();
  }

  private state(): CollectorState {
    const { pid } = this.collector;
    return pid === undefined ? { running: false } : { running: true, pid };
  }
}
