import { Module } from '@nestjs/common';
import { TrackingModule } from 'nestjs-tracking';
import { OnAirProcessor } from './on-air.processor.js';
import { RunsController } from './runs.controller.js';
import { RunsStore } from './runs.store.js';

@Module({
  imports: [TrackingModule.forFeature({ context: { feature: 'runs' } })],
  controllers: [RunsController],
  providers: [RunsStore, OnAirProcessor],
  exports: [RunsStore],
})
export class RunsModule {}
