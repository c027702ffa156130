import { Injectable, Module } from '@nestjs/common';
import type { TrackingModuleOptions, TrackingOptionsFactory } from 'nestjs-tracking';
import { memoryBackend } from 'nestjs-tracking/testing';

@Injectable()
export class Config implements TrackingOptionsFactory {
  readonly memory = memoryBackend();

  createTrackingOptions(): TrackingModuleOptions {
    return { backends: { memory: this.memory } };
  }
}

@Module({ providers: [Config], exports: [Config] })
export class ConfigModule {}
