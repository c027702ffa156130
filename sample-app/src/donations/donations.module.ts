import { Module } from '@nestjs/common';
import { TrackingModule } from 'nestjs-tracking';
import { AuthModule } from '../auth/auth.module.js';
import { RunsModule } from '../runs/runs.module.js';
import { DonationsController } from './donations.controller.js';
import { DonationsService } from './donations.service.js';
import { PaymentsService } from './payments.service.js';
import { TotalsStore } from './totals.store.js';

@Module({
  imports: [AuthModule, RunsModule, TrackingModule.forFeature({ context: { feature: 'donations' } })],
  controllers: [DonationsController],
  providers: [DonationsService, PaymentsService, TotalsStore],
  exports: [TotalsStore],
})
export class DonationsModule {}
