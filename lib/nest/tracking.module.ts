import type { DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { Tracker } from '../core/tracker.js';
import { createInstances } from './injected-classes.js';
import { getTrackerToken } from './tracker.tokens.js';
import { TrackingHost } from './tracking-host.js';
import { TrackingHostModule } from './tracking-host.module.js';
import type {
  ASYNC_OPTIONS_TYPE,
  OPTIONS_TYPE,
} from './tracking.module-definition.js';
import { ConfigurableModuleClass } from './tracking.module-definition.js';
import type { TrackingFeatureOptions } from './tracking.options.js';

/**
 * Event tracking for an app: `forRoot` or `forRootAsync` once (more often with a `name`), `forFeature` in modules whose
 * events carry more.
 */
@Module({})
export class TrackingModule extends ConfigurableModuleClass {
  /**
   * A tracker for the whole app.
   *
   * @throws TrackingError `invalid_options` at boot, listing everything that is wrong
   */
  static override forRoot(options: typeof OPTIONS_TYPE): DynamicModule {
    return super.forRoot(options);
  }

  /** The same, with options from a factory (`useFactory`) or a class (`useClass`, `useExisting`). */
  static override forRootAsync(
    options: typeof ASYNC_OPTIONS_TYPE,
  ): DynamicModule {
    return super.forRootAsync(options);
  }

  /** A child tracker for one module, under the same token, or under `name`. */
  static forFeature(options: TrackingFeatureOptions = {}): DynamicModule {
    const token = getTrackerToken(options.name);
    return {
      module: TrackingModule,
      imports: [TrackingHostModule],
      providers: [
        {
          provide: token,
          inject: [TrackingHost, ModuleRef],
          useFactory: async (
            host: TrackingHost,
            moduleRef: ModuleRef,
          ): Promise<Tracker> => {
            const parent = await host.trackerFor(options.name);
            return parent.child(
              await createInstances(options, moduleRef, host.modules),
            );
          },
        },
      ],
      exports: [token],
    };
  }
}
