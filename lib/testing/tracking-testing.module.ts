import type { DynamicModule, Provider } from '@nestjs/common';
import { Module } from '@nestjs/common';
import type { TrackingEvent } from '../core/event.js';
import type { Tracker } from '../core/tracker.js';
import { getTrackerToken } from '../nest/tracking.tokens.js';
import { TrackingModule } from '../nest/tracking.module.js';
import type { TrackingExtras, TrackingModuleOptions } from '../nest/tracking.options.js';
import { memoryBackend } from './memory-backend.js';

const PROBE_PATH = 'probe';

/** What a test sees of the events of an app. Injected: `moduleRef.get(TrackingProbe)`. */
export class TrackingProbe {
  /** Where the events come from: a backend of the tracker under test. */
  readonly backend = memoryBackend();

  /** What came so far, in order. */
  get events(): readonly TrackingEvent[] {
    return this.backend.events;
  }

  named(name: string): readonly TrackingEvent[] {
    return this.events.filter((event) => event.name === name);
  }

  /**
   * Resolves with the first event of a name as soon as it is there.
   * Rejects after 2 s with a TrackingError `timeout` that names what came instead.
   */
  async waitFor(name: string): Promise<TrackingEvent> {
    const [event] = await this.backend.waitFor(name);
    return event as TrackingEvent;
  }

  /** Forgets the events. */
  clear(): void {
    this.backend.clear();
  }
}

/** Tracking for tests: no network, every event in an injectable `TrackingProbe`. */
@Module({})
export class TrackingTestingModule {
  /**
   * In place of `TrackingModule.forRoot`: for tests of modules that only inject a tracker.
   *
   * @param options as for `TrackingModule.forRoot`; none is needed, and the probe is added to given backends
   */
  static forRoot(options: Partial<TrackingModuleOptions> & TrackingExtras = {}): DynamicModule {
    const probe = new TrackingProbe();
    const backends = { ...options.backends, [PROBE_PATH]: probe.backend };
    const tracking = TrackingModule.forRoot({ ...options, backends });
    return exportsProbe({ provide: TrackingProbe, useValue: probe }, [tracking]);
  }

  /**
   * Beside an app that has its own `TrackingModule.forRoot`: the probe sees what its backends see.
   *
   * @param name of the instance; default: `default`
   */
  static observe(name?: string): DynamicModule {
    const useFactory = (tracker: Tracker): TrackingProbe => {
      const probe = new TrackingProbe();
      tracker.register(PROBE_PATH, probe.backend);
      return probe;
    };
    return exportsProbe({ provide: TrackingProbe, inject: [getTrackerToken(name)], useFactory });
  }
}

function exportsProbe(probe: Provider, imports: DynamicModule[] = []): DynamicModule {
  return {
    module: TrackingTestingModule,
    global: true,
    imports,
    providers: [probe],
    exports: [TrackingProbe],
  };
}
