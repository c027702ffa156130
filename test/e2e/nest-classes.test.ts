import type { DynamicModule } from '@nestjs/common';
import { Controller, Get, Inject, Injectable, Module, Scope } from '@nestjs/common';
import type { TestingModule } from '@nestjs/testing';
import { Test } from '@nestjs/testing';
import type { Server } from 'node:http';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import request from 'supertest';
import type {
  Backend,
  ProcessorObject,
  Tracker,
  TrackingEvent,
  TrackingModuleOptions,
} from 'nestjs-tracking';
import {
  getTrackerToken,
  InjectTracker,
  Track,
  TrackingContext,
  TrackingModule,
  WithContext,
} from 'nestjs-tracking';
import type { Clock } from 'nestjs-tracking/core';
import { fakeClock, memoryBackend } from 'nestjs-tracking/testing';
import { until } from '../support/http-app.js';
import { untyped } from '../support/recording.js';
import { ADAPTERS, bootContext, bootError, closeApps, nestApp } from '../support/nest-app.js';

@Injectable()
class Region {
  readonly name = 'eu';
}

@Injectable()
class Warehouse implements Backend {
  static created = 0;
  readonly events: TrackingEvent[] = [];
  closed = 0;

  constructor(@Inject(Region) readonly region: Region) {
    Warehouse.created++;
  }

  send(event: TrackingEvent): void {
    this.events.push(event);
  }

  close(): Promise<void> {
    this.closed++;
    return Promise.resolve();
  }
}

@Injectable()
class StampRegion implements ProcessorObject {
  constructor(@Inject(Region) private readonly region: Region) {}

  process(event: TrackingEvent): TrackingEvent {
    return { ...event, data: { ...event.data, region: this.region.name } };
  }
}

@Controller()
class Orders {
  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  @Get('orders')
  @Track('orders.listed', {
    data: () => {
      throw new Error('no data');
    },
  })
  list(@TrackingContext() context: object): object {
    this.tracker.emit('orders.asked');
    this.work();
    return context;
  }

  @WithContext('work', { work: true })
  work(): void {
    this.tracker.emit('orders.worked');
  }
}

@Module({
  providers: [
    Region,
    {
      provide: Warehouse,
      inject: [Region],
      useFactory: async (region: Region) => {
        await new Promise((resolve) => setImmediate(resolve));
        return new Warehouse(region);
      },
    },
  ],
})
class WarehouseModule {}

@Module({ providers: [Region], exports: [Region] })
class RegionModule {}

/** As an app without knowledge of the tracking would be. */
const withRegion = (options: Partial<TrackingModuleOptions>) =>
  TrackingModule.forRootAsync({
    imports: [RegionModule],
    useFactory: () => ({ backends: {}, ...options }),
  });

afterEach(async () => {
  await closeApps();
  Warehouse.created = 0;
});

@Module({})
class Nothing {}

describe.each(ADAPTERS)('a class among the backends on %s', (adapter) => {
  it('is the provider of the app, in whichever module it is', async () => {
    const running = await nestApp(adapter)
      .tracking({ backends: { warehouse: Warehouse } })
      .imports(WarehouseModule)
      .controllers(Orders)
      .start();
    await running.visit('/orders');
    const warehouse = running.app.get(Warehouse, { strict: false });
    expect(warehouse.events.map(({ name }) => name)).toContain('orders.asked');
    expect(Warehouse.created).toBe(1);
    await running.close();
    expect(warehouse.closed).toBe(1);
  });

  it('else is created by the injector, wherever it stands in the tree, and closed', async () => {
    const memory = memoryBackend();
    const { visit, app, close } = await nestApp(adapter)
      .trackingModule(() =>
        withRegion({
          backends: {
            deep: {
              processors: [StampRegion],
              backends: { a: Warehouse, b: Warehouse, memory },
            },
          },
        }),
      )
      .controllers(Orders)
      .start();
    await visit('/orders');
    const tracker = app.get<Tracker>(getTrackerToken());
    const [a, b] = ['deep/a', 'deep/b'].map((path) => untyped<Warehouse>(tracker.backend(path)));
    expect(a).toBeInstanceOf(Warehouse);
    expect(b).not.toBe(a);
    expect(a!.region.name).toBe('eu');
    expect(a!.events[0]).toMatchObject({ data: { region: 'eu' } });
    expect(memory.events[0]).toMatchObject({ data: { region: 'eu' } });
    await close();
    expect([a!.closed, b!.closed]).toStrictEqual([1, 1]);
  });
});

describe.each(ADAPTERS)('a class among the processors on %s', (adapter) => {
  const processors = [StampRegion];

  it('is the provider of the module that names it', async () => {
    const { visit, event } = await nestApp(adapter)
      .imports({
        module: Nothing,
        imports: [TrackingModule.forFeature({ processors })],
        controllers: [Orders],
        providers: [StampRegion, Region],
      })
      .start();
    await visit('/orders');
    expect((await event('orders.asked')).data).toStrictEqual({ region: 'eu' });
  });

  it('else is created from what is global', async () => {
    const { visit, event } = await nestApp(adapter)
      .imports(
        { module: RegionModule, global: true },
        {
          module: Nothing,
          imports: [TrackingModule.forFeature({ processors })],
          controllers: [Orders],
        },
      )
      .start();
    await visit('/orders');
    expect((await event('orders.asked')).data).toStrictEqual({ region: 'eu' });
  });
});

describe('a class that cannot be created', () => {
  @Injectable()
  class NoProcess {}

  @Injectable()
  class Throws {
    constructor() {
      throw new Error('no disk');
    }
  }

  @Injectable()
  class NeedsTracker implements Backend {
    constructor(@InjectTracker() readonly tracker: Tracker) {}
    send(): void {
      this.tracker.emit('echo');
    }
  }

  it('stops the boot together with everything else that is wrong', async () => {
    const error = await bootError(
      TrackingModule.forRoot(
        untyped({
          backends: {
            a: Throws,
            b: { processors: [NoProcess], backends: { c: StampRegion } },
          },
          processors: [() => undefined, NoProcess],
          strict: 1,
        }),
      ),
    );
    for (const line of [
      'backends.a: creating Throws failed: no disk',
      'backends.b.processors[0]: expected a function, or something with a callable "process"',
      "backends.b.backends.c: creating StampRegion failed: Nest can't resolve dependencies of the StampRegion (?)",
      'processors[1]: expected a function, or something with a callable "process"',
      'expected strict to be true or false, got 1',
    ]) {
      expect(error.message).toContain(line);
    }
  });

  it('because it belongs to a request says so', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class OfRequest implements Backend {
      send = (): void => undefined;
    }
    const error = await bootError(TrackingModule.forRoot({ backends: { a: OfRequest } }), {
      module: Nothing,
      providers: [OfRequest],
    });
    expect(error.message).toMatch(/backends\.a: creating OfRequest failed: .*request-scoped/);
  });

  it('in forFeature does so too', async () => {
    const error = await bootError(
      TrackingModule.forRoot({ backends: { memory: memoryBackend() } }),
      TrackingModule.forFeature(untyped({ processors: [Throws, NoProcess], other: 1 })),
    );
    for (const line of [
      'processors[0]: creating Throws failed: no disk',
      'processors[1]: expected a function, or something with a callable "process"',
      'other is not an option',
    ]) {
      expect(error.message).toContain(line);
    }
  });

  it.each([
    ['a class', []],
    ['a provider', [NeedsTracker]],
  ])(
    'because it needs the tracker itself, as %s, says so instead of waiting for ever',
    async (_as, providers) => {
      const fake = fakeClock();
      let timers = 0;
      const clock: Clock = {
        ...fake,
        setTimeout: (run, ms) => {
          timers++;
          return fake.setTimeout(run, ms);
        },
      };
      const error = bootError(TrackingModule.forRoot({ backends: { echo: NeedsTracker }, clock }), {
        module: Nothing,
        providers,
      });
      await until(() => timers > 0);
      await fake.advance(30_000);
      expect((await error).message).toContain(
        'backends.echo: creating NeedsTracker failed: waited 30000 ms for it; does it inject the tracker that it belongs to?',
      );
    },
  );
});

describe('options that need a tracker themselves', () => {
  @Injectable()
  class NeedsTracker {
    constructor(@InjectTracker() readonly tracker: Tracker) {}
  }

  const boot = (imports: DynamicModule[]) =>
    bootContext([
      TrackingModule.forRootAsync({
        imports: [
          {
            module: Nothing,
            imports,
            providers: [NeedsTracker],
            exports: [NeedsTracker],
          },
        ],
        inject: [NeedsTracker],
        useFactory: () => ({ backends: {} }),
      }),
    ]);

  it('stop the boot: Nest sees the circle', async () => {
    await expect(boot([])).rejects.toThrow(/circular/i);
  });

  it('stop it also where they need that of a feature', async () => {
    // The clock of the options is not known before they are: this one waits in real time.
    await expect(boot([TrackingModule.forFeature()])).rejects.toMatchObject({
      code: 'timeout',
      message:
        'waited 30000 ms for TrackingModule.forRoot; do its options need the tracker of a TrackingModule.forFeature?',
    });
  }, 45_000);
});

async function initialised(moduleRef: TestingModule) {
  const app = moduleRef.createNestApplication();
  app.useLogger(false);
  return app.init();
}

describe('a tracker that a test puts in the place of ours', () => {
  const stub = { emit: jest.fn(), resolveContext: () => ({ stub: true }) };

  it('hears what is emitted and tracked', async () => {
    const memory = memoryBackend();
    const moduleRef = await Test.createTestingModule({
      imports: [TrackingModule.forRoot({ backends: { memory } })],
      controllers: [Orders],
    })
      .overrideProvider(getTrackerToken())
      .useValue(stub)
      .compile();
    const app = await initialised(moduleRef);
    await request(app.getHttpServer() as Server)
      .get('/orders')
      .expect(200, { stub: true });
    await app.close();
    expect(stub.emit.mock.calls.map(([name]) => name)).toStrictEqual([
      'orders.asked',
      'orders.worked',
      'orders.listed',
    ]);
    expect(memory.events).toHaveLength(0);
  });

  it('is enough for a controller: no module of ours is needed', async () => {
    stub.emit.mockClear();
    const moduleRef = await Test.createTestingModule({
      controllers: [Orders],
      providers: [{ provide: getTrackerToken(), useValue: stub }],
    }).compile();
    const app = await initialised(moduleRef);
    await request(app.getHttpServer() as Server)
      .get('/orders')
      .expect(200);
    await app.close();
    expect(stub.emit).toHaveBeenCalledTimes(3);
  });
});

describe('tokens', () => {
  it('are texts by name, the default one without', () => {
    expect(getTrackerToken()).toBe(getTrackerToken('default'));
    expect(getTrackerToken('audit')).not.toBe(getTrackerToken());
  });
});
