import { Module } from '@nestjs/common';
import { TrackingModule } from 'nestjs-tracking';
import { AuthModule } from '../auth/auth.module.js';
import { OnAirProcessor } from '../tracking/on-air.processor.js';
import { DonationsService } from './donations.service.js';
import { PaymentsService } from './payments.service.js';
import { RunSchedule } from './run.schedule.js';
import { RunsController } from './runs.controller.js';
import { RunsService } from './runs.service.js';
import { StatsController } from './stats.controller.js';

@Module({
  // Every event of these classes carries `feature`: they are injected a tracker of this module's own.
  imports: [AuthModule, TrackingModule.forFeature({ context: { feature: 'donations' } })],
  controllers: [RunsController, StatsController],
  providers: [RunsService, RunSchedule, DonationsService, PaymentsService, OnAirProcessor],
})
export class DonationsModule {}
