import { Module } from '@nestjs/common';
import { TrackingModule } from 'nestjs-tracking';
import { ChatGateway } from './chat.gateway.js';
import { Config, ConfigModule } from './config.module.js';
import { OrdersModule } from './orders.module.js';

@Module({
  imports: [
    ConfigModule,
    TrackingModule.forRootAsync({
      imports: [ConfigModule],
      inject: [Config],
      useFactory: (config: Config) => config.createTrackingOptions(),
    }),
    OrdersModule,
  ],
  providers: [ChatGateway],
})
export class AppModule {}

@Module({
  imports: [
    TrackingModule.forRootAsync({
      imports: [ConfigModule],
      useExisting: Config,
    }),
    ConfigModule,
    OrdersModule,
  ],
  providers: [ChatGateway],
})
export class ExistingModule {}
