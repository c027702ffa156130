import type { DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { TrackingModule } from 'nestjs-tracking';
import { AdminModule } from './admin/admin.module.js';
import { AuthModule } from './auth/auth.module.js';
import { LastConnections } from './boot/last-connections.js';
import { CollectorModule } from './collector/collector.module.js';
import { CollectorProcess } from './collector/collector.process.js';
import { DonationsModule } from './donations/donations.module.js';
import { MarathonModule } from './marathon/marathon.module.js';
import { RedisConnection } from './redis/redis.connection.js';
import { RedisModule } from './redis/redis.module.js';
import { RunsModule } from './runs/runs.module.js';
import { SettingsModule } from './settings/settings.module.js';
import { Settings } from './settings/settings.js';
import { StatsModule } from './stats/stats.module.js';
import { trackingOptions } from './tracking/tracking.options.js';

/**
 * The donation marathon. Everything is kept in memory and gone when the app ends, but what GET /stats tells, and the
 * events that have not arrived yet.
 */
@Module({})
export class AppModule {
  static configure(settings: Settings): DynamicModule {
    return {
      module: AppModule,
      imports: [
        SettingsModule.forRoot(settings),
        RedisModule,
        CollectorModule,
        TrackingModule.forRootAsync({
          inject: [Settings, RedisConnection, CollectorProcess],
          useFactory: trackingOptions,
        }),
        ScheduleModule.forRoot(),
        AuthModule,
        RunsModule,
        DonationsModule,
        AdminModule,
        MarathonModule,
        StatsModule,
      ],
      providers: [LastConnections],
    };
  }
}
