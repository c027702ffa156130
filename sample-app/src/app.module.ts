import { Global, Module, StandardSchemaValidationPipe } from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { ScheduleModule } from '@nestjs/schedule';
import { TrackingModule } from 'nestjs-tracking';
import { AuthModule } from './auth/auth.module.js';
import { DonationsModule } from './donations/donations.module.js';
import { Settings } from './settings.js';
import { trackingOptions } from './tracking/tracking.options.js';

@Global()
@Module({ providers: [Settings], exports: [Settings] })
class SettingsModule {}

@Module({
  imports: [
    SettingsModule,
    TrackingModule.forRootAsync({ inject: [Settings], useFactory: trackingOptions }),
    ScheduleModule.forRoot(),
    AuthModule,
    DonationsModule,
  ],
  // Checks every parameter that names a schema: `@Body({ schema })`.
  providers: [{ provide: APP_PIPE, useClass: StandardSchemaValidationPipe }],
})
export class AppModule {}
