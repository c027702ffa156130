import { Module } from '@nestjs/common';
import { TrackingModule } from 'nestjs-tracking';
import { DonationsModule } from '../donations/donations.module.js';
import { RunsModule } from '../runs/runs.module.js';
import { MarathonController } from './marathon.controller.js';
import { MarathonTick } from './marathon.tick.js';

@Module({
  imports: [DonationsModule, RunsModule, TrackingModule.forFeature({ context: { feature: 'marathon' } })],
  controllers: [MarathonController],
  providers: [MarathonTick],
})
export class MarathonModule {}
