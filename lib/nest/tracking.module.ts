import type { DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { Tracker } from '../core/tracker.js';
import { getTrackerToken } from './tracking.tokens.js';
import { TrackingHost } from './tracking-host.js';
import { TrackingHostModule } from './tracking-host.module.js';
import type { ASYNC_OPTIONS_TYPE, OPTIONS_TYPE } from './tracking.module-definition.js';
import { ConfigurableModuleClass } from './tracking.module-definition.js';
import type { TrackingFeatureOptions } from './tracking.options.js';

const FEATURE_OPTIONS = Symbol('nestjs-tracking:feature-options');

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
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return super.forRootAsync(options);
  }

  /**
   * A child tracker for one module, under the same token, or under `name`.
   *
   * @throws TrackingError `invalid_options` at boot, also when there is no `forRoot` to derive it from
   */
  static forFeature(options: TrackingFeatureOptions = {}): DynamicModule {
    const token = getTrackerToken(options.name);
    return {
      module: TrackingModule,
      imports: [TrackingHostModule],
      providers: [
        // A provider, so that Nest tells two feature modules apart where it compares what they contain.
        { provide: FEATURE_OPTIONS, useValue: options },
        {
          provide: token,
          inject: [TrackingHost, FEATURE_OPTIONS, ModuleRef],
          useFactory: (
            host: TrackingHost,
            feature: TrackingFeatureOptions,
            moduleRef: ModuleRef,
          ): Promise<Tracker> => host.startFeature(feature, moduleRef),
        },
        ...(options.name === undefined ? [{ provide: Tracker, useExisting: token }] : []),
      ],
      exports: [token, ...(options.name === undefined ? [Tracker] : [])],
    };
  }
}
