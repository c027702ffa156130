import type { DynamicModule, Type } from '@nestjs/common';
import { Controller, Get, Inject, Injectable, Logger, Module } from '@nestjs/common';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { Tracker, TrackingModuleOptions, TrackingOptionsFactory } from 'nestjs-tracking';
import { getTrackerToken, InjectTracker, TrackingModule } from 'nestjs-tracking';
import { memoryBackend } from 'nestjs-tracking/testing';
import { untyped } from '../support/recording.js';
import { ADAPTERS, bootContext, bootError, closeApps, nestApp } from '../support/nest-app.js';

@Controller()
class Orders {
  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  @Get('orders')
  list(): string {
    this.tracker.emit('orders.listed');
    return 'ok';
  }
}

@Injectable()
class Settings {
  readonly region = 'eu';
}

@Module({ providers: [Settings], exports: [Settings] })
class SettingsModule {}

@Injectable()
class OptionsFactory implements TrackingOptionsFactory {
  static options: TrackingModuleOptions;

  constructor(@Inject(Settings) private readonly settings: Settings) {}

  createTrackingOptions(): Promise<TrackingModuleOptions> {
    return Promise.resolve({
      ...OptionsFactory.options,
      context: { region: this.settings.region },
    });
  }
}

@Module({
  imports: [SettingsModule],
  providers: [OptionsFactory],
  exports: [OptionsFactory],
})
class FactoryModule {}

afterEach(closeApps);

/** A feature with a controller that tracks `<path>.seen`. */
function feature(path: string, imports: DynamicModule[], token = getTrackerToken()): Type {
  @Controller(path)
  class FeatureController {
    constructor(@Inject(token) private readonly tracker: Tracker) {}

    @Get()
    seen(): string {
      this.tracker.emit(`${path}.seen`);
      return path;
    }
  }
  @Module({ imports, controllers: [FeatureController] })
  class FeatureModule {}
  return FeatureModule;
}

describe.each(ADAPTERS)('forRootAsync on %s', (adapter) => {
  const asynchronously = {
    'an asynchronous factory with imports and injected providers': (options: TrackingModuleOptions) =>
      TrackingModule.forRootAsync({
        imports: [SettingsModule],
        inject: [Settings],
        useFactory: async (settings: Settings) => {
          await new Promise((resolve) => setImmediate(resolve));
          return { ...options, context: { region: settings.region } };
        },
      }),
    'a class that is made a provider, with what it injects': (options: TrackingModuleOptions) => {
      OptionsFactory.options = options;
      return TrackingModule.forRootAsync({
        imports: [SettingsModule],
        useClass: OptionsFactory,
      });
    },
    'a provider that exists': (options: TrackingModuleOptions) => {
      OptionsFactory.options = options;
      return TrackingModule.forRootAsync({
        imports: [FactoryModule],
        useExisting: OptionsFactory,
      });
    },
  };

  it.each(Object.entries(asynchronously))('takes its options from %s', async (_name, make) => {
    const { visit, event } = await nestApp(adapter).trackingModule(make).controllers(Orders).start();
    expect(await visit('/orders')).toBe(200);
    expect((await event('orders.listed')).context).toMatchObject({
      region: 'eu',
      request: { path: '/orders' },
      handler: { class: 'Orders', method: 'list' },
    });
  });

  it('takes name, isGlobal, middleware and interceptor beside the factory', async () => {
    const { visit, event } = await nestApp(adapter)
      .trackingModule((options) =>
        TrackingModule.forRootAsync({
          name: 'audit',
          interceptor: false,
          useFactory: () => options,
        }),
      )
      .imports(feature('audited', [], getTrackerToken('audit')))
      .start();
    await visit('/audited');
    const { context } = await event('audited.seen');
    expect(context).toMatchObject({ request: { path: '/audited' } });
    expect(context).not.toHaveProperty('handler');
  });
});

describe.each(ADAPTERS)('isGlobal on %s', (adapter) => {
  it('gives the tracker to modules that import nothing', async () => {
    const { visit, event } = await nestApp(adapter).imports(feature('plain', [])).start();
    await visit('/plain');
    expect((await event('plain.seen')).context).toHaveProperty('request');
  });

  it('set to false gives it only to who imports the module', async () => {
    const without = nestApp(adapter).tracking({ isGlobal: false }).imports(feature('plain', []));
    await expect(without.create()).rejects.toThrow(getTrackerToken());

    let root!: DynamicModule;
    const { visit, event } = await nestApp(adapter)
      .trackingModule((options) => (root = TrackingModule.forRoot({ ...options, isGlobal: false })))
      .imports(feature('importing', [root]))
      .controllers(Orders)
      .start();
    await visit('/importing');
    expect((await event('importing.seen')).context).toMatchObject({
      request: { path: '/importing' },
    });
    await visit('/orders');
    await event('orders.listed');
  });
});

describe.each(ADAPTERS)('forFeature on %s', (adapter) => {
  it('gives each module a tracker of its own, wherever forRoot stands', async () => {
    const { visit, memory } = await nestApp(adapter)
      .tracking({ context: { app: 'shop', feature: 'none' } })
      .imports(
        feature('a', [TrackingModule.forFeature({ context: { feature: 'a' } })]),
        feature('b', [TrackingModule.forFeature({ context: { feature: 'b' } })]),
        feature('c', [TrackingModule.forFeature()]),
        feature('d', []),
      )
      .start();
    for (const path of ['a', 'b', 'c', 'd']) {
      await visit(`/${path}`);
    }
    expect(
      memory.events.map(({ name, context }) => [name, context['app'], context['feature']]),
    ).toStrictEqual([
      ['a.seen', 'shop', 'a'],
      ['b.seen', 'shop', 'b'],
      ['c.seen', 'shop', 'none'],
      ['d.seen', 'shop', 'none'],
    ]);
  });

  it('runs its processors before those of the root, on its own events alone', async () => {
    const { visit, memory } = await nestApp(adapter)
      .tracking({
        processors: [(event) => ({ ...event, data: { ...event.data, root: true } })],
      })
      .imports(
        feature('a', [
          TrackingModule.forFeature({
            processors: [(event) => ({ ...event, data: { own: !('root' in event.data) } })],
          }),
        ]),
        feature('b', []),
      )
      .start();
    await visit('/a');
    await visit('/b');
    expect(memory.events.map(({ data }) => data)).toStrictEqual([{ own: true, root: true }, { root: true }]);
  });

  it('named like an instance, derives from that one', async () => {
    const audit = memoryBackend();
    const { visit, memory } = await nestApp(adapter)
      .tracking()
      .trackingModule((options) =>
        TrackingModule.forRoot({
          ...options,
          name: 'audit',
          backends: { audit },
        }),
      )
      .imports(
        feature(
          'a',
          [
            TrackingModule.forFeature({
              name: 'audit',
              context: { feature: 'a' },
            }),
          ],
          getTrackerToken('audit'),
        ),
        feature('b', [], getTrackerToken('audit')),
      )
      .start();
    await visit('/a');
    await visit('/b');
    expect(memory.events).toHaveLength(0);
    expect(audit.events.map(({ context }) => context['feature'])).toStrictEqual(['a', undefined]);
  });
});

describe('forFeature', () => {
  it('tells modules apart where Nest compares what they contain', async () => {
    const memory = memoryBackend();
    const names = ['a', 'b'];
    const app = await bootContext(
      [
        TrackingModule.forRoot({ backends: { memory } }),
        ...names.map((path) => feature(path, [TrackingModule.forFeature({ context: { feature: path } })])),
      ],
      { moduleIdGeneratorAlgorithm: 'deep-hash' },
    );
    for (const tracker of app.get<Tracker>(getTrackerToken(), {
      strict: false,
      each: true,
    })) {
      tracker.emit('x');
    }
    await app.close();
    expect(memory.events.map(({ context }) => context['feature'])).toStrictEqual([undefined, 'a', 'b']);
  });

  it('without forRoot stops the boot and says what is missing', async () => {
    const error = await bootError(TrackingModule.forFeature());
    expect(error.message).toBe(
      'TrackingModule.forFeature needs TrackingModule.forRoot in the app: there is none',
    );
  });

  it('named like no instance stops the boot and says which there are', async () => {
    const backends = { memory: memoryBackend() };
    const error = await bootError(
      TrackingModule.forRoot({ backends }),
      TrackingModule.forRoot({ name: 'audit', backends }),
      TrackingModule.forFeature({ name: 'billing' }),
    );
    expect(error).toMatchObject({
      code: 'invalid_options',
      message:
        'TrackingModule.forFeature({ name: "billing" }): there is no TrackingModule.forRoot of that name; known are default, audit',
    });
  });

  it('without a name stops the boot where no instance is the default one', async () => {
    const backends = { memory: memoryBackend() };
    const error = await bootError(
      TrackingModule.forRoot({ name: 'a', backends }),
      TrackingModule.forRoot({ name: 'b', backends }),
      TrackingModule.forFeature(),
    );
    expect(error.message).toContain('there is no TrackingModule.forRoot of that name; known are a, b');
  });

  it('with wrong options stops the boot, all of them listed', async () => {
    const error = await bootError(
      TrackingModule.forRoot({ backends: { memory: memoryBackend() } }),
      TrackingModule.forFeature(untyped({ context: 7, processors: [7], contxt: {} })),
    );
    expect(error.message).toContain('expected context to be an object, got 7');
    expect(error.message).toContain('processors[0]: ');
    expect(error.message).toContain('contxt is not an option');
  });
});

describe.each(ADAPTERS)('named instances on %s', (adapter) => {
  it('live side by side; the default one enriches, all see the request', async () => {
    const audit = memoryBackend();
    const { visit, event, reports } = await nestApp(adapter)
      .trackingModule((options) =>
        TrackingModule.forRoot({
          ...options,
          name: 'audit',
          backends: { audit },
          context: { instance: 'audit' },
        }),
      )
      .tracking({
        context: { instance: 'default' },
        request: { enrich: () => ({ by: 'default' }) },
      })
      .imports(feature('audited', [], getTrackerToken('audit')))
      .controllers(Orders)
      .start();
    await visit('/audited');
    await visit('/orders');
    expect((await audit.waitFor('audited.seen'))[0]?.context).toMatchObject({
      instance: 'audit',
      request: { path: '/audited', by: 'default' },
      handler: { method: 'seen' },
    });
    expect((await event('orders.listed')).context).toMatchObject({
      instance: 'default',
      request: { path: '/orders', by: 'default' },
    });
    expect(audit.events).toHaveLength(1);
    expect(reports).toStrictEqual([]);
  });

  it('enriches by the only one, whatever its name', async () => {
    const { visit, event } = await nestApp(adapter)
      .tracking({ name: 'audit', request: { enrich: () => ({ by: 'audit' }) } })
      .imports(feature('audited', [], getTrackerToken('audit')))
      .start();
    await visit('/audited');
    expect((await event('audited.seen')).context).toMatchObject({
      request: { by: 'audit' },
    });
  });

  it('are told where none of them is the default one, and so none follows requests', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockReturnValue();
    try {
      const named = (name: string) => (options: TrackingModuleOptions) =>
        TrackingModule.forRoot({ ...options, name });
      const app = await nestApp(adapter)
        .trackingModule(named('audit'))
        .trackingModule(named('billing'))
        .imports(feature('audited', [], getTrackerToken('audit')))
        .start();
      await app.visit('/audited');
      expect((await app.event('audited.seen')).context).toStrictEqual({});
      expect(warn.mock.calls).toStrictEqual([
        [
          'none of the instances "audit", "billing" is named "default": events carry no request, user, session or handler; leave out the name of the one that shall follow requests',
        ],
      ]);
    } finally {
      warn.mockRestore();
    }
  });

  it('of two apps in one process never meet', async () => {
    const apps = await Promise.all(
      ['one', 'two'].map((app) =>
        nestApp(adapter)
          .tracking({ context: { app }, request: { enrich: () => ({ app }) } })
          .controllers(Orders)
          .start(),
      ),
    );
    await Promise.all(apps.map(({ visit }) => visit('/orders')));
    await apps[0]!.close();
    await apps[1]!.visit('/orders');
    expect(
      apps.map(({ memory }) => memory.events.map(({ context }) => [context['app'], context['request']])),
    ).toMatchObject([
      [['one', { app: 'one' }]],
      [
        ['two', { app: 'two' }],
        ['two', { app: 'two' }],
      ],
    ]);
  });
});

describe('a boot', () => {
  const backends = { memory: memoryBackend() };

  it('stops at two instances of one name', async () => {
    const error = await bootError(
      TrackingModule.forRoot({ backends }),
      TrackingModule.forRootAsync({ useFactory: () => ({ backends }) }),
    );
    expect(error.message).toBe(
      'TrackingModule.forRoot is imported twice under the name "default"; give one of them another name',
    );
  });

  it('stops at options for requests on an instance that follows none', async () => {
    const error = await bootError(
      TrackingModule.forRoot({ backends }),
      TrackingModule.forRoot({ name: 'audit', backends, request: {} }),
    );
    expect(error.message).toContain(
      'request: only the instance named "default", or the only one, follows requests, not "audit"',
    );
  });

  it('lists everything that is wrong, by the path of the option', async () => {
    const error = await bootError(
      TrackingModule.forRoot(
        untyped({
          backends: { a: {}, 'b/c': memoryBackend(), d: { backends: 3 } },
          processors: [() => undefined, 'redact'],
          shutdownTimeoutMs: -1,
          strict: 'yes',
          onErrors: () => undefined,
          isGlobal: 'yes',
          middleware: null,
          interceptor: 0,
          request: {
            enrich: 'yes',
            ip: 1,
            user: {},
            hold: { maxEvents: 0, max: 1 },
            flushAtEnd: true,
            acceptTimeoutMs: NaN,
            usr: 1,
          },
        }),
      ),
    );
    for (const line of [
      'expected backends.a to be ',
      'expected backends.b/c to be named without "/"',
      'expected backends.d.backends to be an object of backends by name, got 3',
      'processors[1]: expected a function',
      'expected shutdownTimeoutMs to be milliseconds, 0 or more, got -1',
      'expected strict to be true or false, got "yes"',
      'onErrors is not an option',
      'expected isGlobal to be true or false, got "yes"',
      'expected middleware to be true or false, got null',
      'expected interceptor to be true or false, got 0',
      'expected request.enrich to be true, false or a function, got "yes"',
      'expected request.ip to be true or false, got 1',
      'expected request.user to be a function',
      'expected request.hold.maxEvents to be a positive integer, got 0',
      'request.hold.max is not an option',
      "expected request.flushAtEnd to be 'accepted' or 'delivered' or false, got true",
      'expected request.acceptTimeoutMs to be milliseconds, 0 or more, got NaN',
      'request.usr is not an option',
    ]) {
      expect(error.message).toContain(line);
    }
  });

  it('stops at an empty name', async () => {
    const error = await bootError(TrackingModule.forRoot({ name: '', backends }));
    expect(error.message).toContain('expected name to be a non-empty string, got ""');
  });

  it('stops where responses wait for events that nothing sees: awaitAccepted without the interceptor', async () => {
    const options = { backends, request: { awaitAccepted: true } } as const;
    for (const middleware of [true, false]) {
      const error = await bootError(TrackingModule.forRoot({ ...options, middleware, interceptor: false }));
      expect(error.message).toContain(
        'request.awaitAccepted: needs the interceptor, which `interceptor: false` leaves out',
      );
    }
  });

  it('takes what is undefined as left out', async () => {
    const app = await bootContext([
      TrackingModule.forRoot(untyped({ backends, name: undefined, isGlobal: undefined })),
      feature('plain', []),
    ]);
    expect(app.get(getTrackerToken())).toHaveProperty('emit');
    await app.close();
  });

  it('stops at a tree of backends that contains itself', async () => {
    const tree: { backends: Record<string, unknown> } = { backends: {} };
    tree.backends['again'] = tree;
    const error = await bootError(TrackingModule.forRoot(untyped(tree)));
    expect(error.message).toContain('this router contains itself');
  });

  it.each([[null], [7], [[]]])('stops at a factory that answers %j', async (answer) => {
    const error = await bootError(TrackingModule.forRootAsync({ useFactory: () => untyped(answer) }));
    expect(error.message).toContain('expected options to be an object');
  });

  it('stops as the factory of the options does', async () => {
    const thrown = new Error('no settings');
    const builder = nestApp('express').trackingModule(() =>
      TrackingModule.forRootAsync({
        useFactory: () => Promise.reject(thrown),
      }),
    );
    await expect(builder.create()).rejects.toBe(thrown);
  });
});
