import type { INestApplication } from '@nestjs/common';
import { Controller, Get } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, MetadataScanner } from '@nestjs/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { TrackingExtras, TrackingModuleOptions } from 'nestjs-tracking';
import { TrackingModule } from 'nestjs-tracking';
import { bootContext, ADAPTERS, closeApps, nestApp } from '../support/nest-app.js';

afterEach(closeApps);

@Controller()
class Orders {
  @Get()
  show(): string {
    return 'ok';
  }
}

type Discovering = Pick<INestApplication, 'get'>;

/** Providers and controllers of which other packages, which look for decorated methods, expect an instance. */
function withoutInstance(app: Discovering): string[] {
  const discovery = app.get(DiscoveryService);
  return (
    [...discovery.getProviders(), ...discovery.getControllers()]
      .filter(({ instance }) => (instance as unknown) === null || instance === undefined)
      .map(({ name, host }) => `${host?.name ?? ''}: ${name}`)
      // Nest's own, for what is injected per request.
      .filter((found) => !found.startsWith('InternalCoreModule: '))
  );
}

/** What packages for schedules, queues and events do at boot. */
function walk(app: Discovering): number {
  const [discovery, scanner] = [app.get(DiscoveryService), new MetadataScanner()];
  let methods = 0;
  for (const { instance } of discovery.getProviders()) {
    if (typeof instance === 'object') {
      methods += scanner.getAllMethodNames(Object.getPrototypeOf(instance) as object).length;
    }
  }
  return methods;
}

const SETTINGS: readonly [string, Partial<TrackingModuleOptions> & TrackingExtras][] = [
  ['nothing set', {}],
  ['hold', { request: { hold: true } }],
  ['middleware: false', { middleware: false }],
  ['interceptor: false', { interceptor: false }],
  ['neither', { middleware: false, interceptor: false }],
];

describe.each(ADAPTERS)('what other packages discover on %s', (adapter) => {
  it.each(SETTINGS)('has an instance each: %s', async (_what, options) => {
    const { app } = await nestApp(adapter)
      .imports(DiscoveryModule)
      .controllers(Orders)
      .tracking(options)
      .start();
    expect(withoutInstance(app)).toStrictEqual([]);
    expect(walk(app)).toBeGreaterThan(0);
  });

  it('has an instance each with forRootAsync, forFeature and several instances', async () => {
    const { app } = await nestApp(adapter)
      .imports(DiscoveryModule, TrackingModule.forFeature({ context: { feature: 1 } }))
      .trackingModule((defaults) =>
        TrackingModule.forRootAsync({ useFactory: () => Promise.resolve(defaults) }),
      )
      .trackingModule((defaults) => TrackingModule.forRoot({ ...defaults, name: 'audit' }))
      .start();
    expect(withoutInstance(app)).toStrictEqual([]);
    expect(walk(app)).toBeGreaterThan(0);
  });
});

describe('what other packages discover without a server', () => {
  it('has an instance each', async () => {
    const app = await bootContext([
      DiscoveryModule,
      TrackingModule.forRoot({ backends: { b: { send: () => undefined } } }),
    ]);
    expect(withoutInstance(app)).toStrictEqual([]);
    expect(walk(app)).toBeGreaterThan(0);
    await app.close();
  });
});
