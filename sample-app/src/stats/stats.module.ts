import { Module } from '@nestjs/common';
import { TrackingModule } from 'nestjs-tracking';
import { RunsModule } from '../runs/runs.module.js';
import { StatsController } from './stats.controller.js';
import { StatsService } from './stats.service.js';

@Module({
  imports: [RunsModule, TrackingModule.forFeature({ context: { feature: 'stats' } })],
  controllers: [StatsController],
  providers: [StatsService],
})
export class StatsModule {}
