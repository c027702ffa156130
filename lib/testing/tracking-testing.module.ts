import type { DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import type { Tracker } from '../core/tracker.js';
import { getTrackerToken } from '../nest/tracking.tokens.js';
import { TrackingModule } from '../nest/tracking.module.js';
import type { TrackingExtras, TrackingModuleOptions } from '../nest/tracking.options.js';
import { TrackingProbe } from './tracking-probe.js';

/** Where the probe stands in the topology. */
const PROBE_PATH = 'probe';

/** Tracking for tests: no network, every event in an injectable `TrackingProbe`. */
@Module({})
export class TrackingTestingModule {
  /**
   * In place of `TrackingModule.forRoot`: for tests of modules that only inject a tracker.
   *
   * @param options as for `TrackingModule.forRoot`; none is needed, and the probe comes on top of given backends
   */
  static forRoot(options: Partial<TrackingModuleOptions> & TrackingExtras = {}): DynamicModule {
    const probe = new TrackingProbe();
    return {
      module: TrackingTestingModule,
      global: true,
      imports: [
        TrackingModule.forRoot({
          ...options,
          backends: { ...options.backends, [PROBE_PATH]: probe.backend },
        }),
      ],
      providers: [{ provide: TrackingProbe, useValue: probe }],
      exports: [TrackingProbe],
    };
  }

  /**
   * Beside an app that has its own `TrackingModule.forRoot`: the probe sees what its backends see.
   *
   * @param name of the instance; default: `default`
   */
  static observe(name?: string): DynamicModule {
    return {
      module: TrackingTestingModule,
      global: true,
      providers: [
        {
          provide: TrackingProbe,
          inject: [getTrackerToken(name)],
          useFactory: (tracker: Tracker): TrackingProbe => {
            const probe = new TrackingProbe();
            tracker.register(PROBE_PATH, probe.backend);
            return probe;
          },
        },
      ],
      exports: [TrackingProbe],
    };
  }
}
