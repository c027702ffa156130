import { Module } from '@nestjs/common';
import { TrackingModule } from 'nestjs-tracking';
import { DonationsModule } from '../donations/donations.module.js';
import { RunsModule } from '../runs/runs.module.js';
import { AdminController } from './admin.controller.js';
import { CollectorController } from './collector.controller.js';

@Module({
  imports: [DonationsModule, RunsModule, TrackingModule.forFeature({ context: { feature: 'admin' } })],
  controllers: [AdminController, CollectorController],
})
export class AdminModule {}
