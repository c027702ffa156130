import { Global, Module } from '@nestjs/common';
import { Settings } from '../settings/settings.js';
import { CollectorProcess } from './collector.process.js';

/**
 * Global and imported before `TrackingModule`, so that the collector starts before the tracker and outlives it: Nest runs
 * the shutdown hooks of global modules last, and among these the first imported is the last.
 */
@Global()
@Module({
  providers: [
    {
      provide: CollectorProcess,
      inject: [Settings],
      useFactory: async (settings: Settings) => {
        const collector = new CollectorProcess(settings);
        await collector.start();
        return collector;
      },
    },
  ],
  exports: [CollectorProcess],
})
export class CollectorModule {}
