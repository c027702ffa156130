import { Controller, Get, Injectable } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Tracker, TrackingReport } from 'nestjs-tracking';
import { InjectTracker, Track, WithContext } from 'nestjs-tracking';
import { createTracker } from 'nestjs-tracking/core';
import { turns } from '../support/http-app.js';
import { hostile, revoked } from '../support/hostile.js';
import { ADAPTERS, closeApps, nestApp } from '../support/nest-app.js';
import { untyped } from '../support/recording.js';

afterEach(closeApps);

const failed = (): never => {
  throw new Error('lookup failed');
};

/** Data that cannot be made at once, as TypeScript's `object` lets it through. */
const PROMISES: readonly [string, () => object][] = [
  ['a promise', () => Promise.resolve({ n: 1 })],
  ['a promise that rejects', () => Promise.reject(new Error('lookup failed'))],
  ['a promise that rejects later', () => turns(2).then(failed)],
  ['a promise inside', () => ({ user: Promise.reject(new Error('lookup failed')) })],
  ['a thenable that throws', () => ({ then: failed })],
];

/** Data that cannot be taken for other reasons. */
const UNUSABLE: readonly [string, () => object][] = [
  ['more than an event may hold', () => ({ text: 'x'.repeat(2 ** 21) })],
  ['many small things', () => ({ list: Array.from({ length: 500_000 }, (_, n) => n) })],
  ['what throws when it is read', hostile],
  ['what was revoked', revoked],
  [
    'a getter that throws',
    () => ({
      get bad(): string {
        return failed();
      },
    }),
  ],
  ['a function that throws', failed],
  ['nothing', () => untyped<object>(undefined)],
  ['null', () => untyped<object>(null)],
  ['a string', () => untyped<object>('text')],
  ['a BigInt', () => ({ n: 1n })],
];

describe.each(ADAPTERS)('@Track on %s', (adapter) => {
  it.each(PROMISES)('whose data are %s, is reported, and the app goes on', async (_what, data) => {
    @Controller()
    class Orders {
      @Get()
      @Track('order.created', { data: data })
      create(): string {
        return 'ok';
      }
    }
    const app = await nestApp(adapter).controllers(Orders).start();
    expect(await app.visit('/')).toBe(200);
    expect(await app.visit('/')).toBe(200);
    await turns(5);
    expect(app.memory.events).toHaveLength(2);
    expect(app.reports).toHaveLength(2);
    for (const { code, message } of app.reports) {
      expect(['callback_failed', 'payload_changed']).toContain(code);
      expect(message).toContain('order.created');
    }
  });
});

describe.each(ADAPTERS)('@WithContext on %s', (adapter) => {
  const start = async (data: () => object) => {
    @Injectable()
    class Jobs {
      constructor(@InjectTracker() private readonly tracker: Tracker) {}

      @WithContext('job', data)
      run(): string {
        this.tracker.emit('ran');
        return 'ok';
      }
    }

    @Controller()
    class Orders {
      constructor(private readonly jobs: Jobs) {}

      @Get()
      run(): string {
        return this.jobs.run();
      }
    }
    Reflect.defineMetadata('design:paramtypes', [Jobs], Orders);
    return nestApp(adapter).controllers(Orders).providers(Jobs).start();
  };

  it.each(PROMISES)('whose data are %s, is reported, and the method runs', async (_what, data) => {
    const app = await start(data);
    expect(await app.visit('/')).toBe(200);
    await turns(5);
    expect(app.memory.events).toMatchObject([{ name: 'ran', context: { request: { path: '/' } } }]);
    expect(app.reports).toHaveLength(1);
    expect(['callback_failed', 'context_changed']).toContain(app.reports[0]?.code);
    expect(app.reports[0]?.message).toContain('job');
  });

  it.each(UNUSABLE)('whose data are %s, lets the method run', async (_what, data) => {
    const app = await start(data);
    expect(await app.visit('/')).toBe(200);
    expect(app.memory.events).toMatchObject([{ name: 'ran', context: { request: { path: '/' } } }]);
  });
});

describe('@WithContext on a class that is made by hand', () => {
  const reader = createTracker({ backends: {} });

  it.each([...PROMISES, ...UNUSABLE])('runs its method, whatever its data are: %s', async (_what, data) => {
    class Jobs {
      @WithContext('job', data)
      run(a: number, b: number): number {
        return a + b;
      }

      @WithContext('job', data)
      async later(a: number): Promise<number> {
        await turns(1);
        return a;
      }

      @WithContext('outer', { outer: 1 })
      outer(): object {
        return this.inner();
      }

      @WithContext('job', data)
      inner(): object {
        return reader.resolveContext();
      }
    }
    const jobs = new Jobs();
    expect(jobs.run(1, 2)).toBe(3);
    await expect(jobs.later(7)).resolves.toBe(7);
    expect(jobs.outer()).toMatchObject({ outer: 1 });
    expect(reader.resolveContext()).toStrictEqual({});
    await turns(5);
  });

  it('runs its method with a frame that is too large, given as it is', () => {
    class Jobs {
      @WithContext('job', { text: 'x'.repeat(2 ** 21) })
      run(): object {
        return reader.resolveContext();
      }
    }
    expect(new Jobs().run()).toStrictEqual({});
  });

  it('throws what the method throws', () => {
    class Jobs {
      @WithContext('job', () => ({ text: 'x'.repeat(2 ** 21) }))
      run(): never {
        throw new RangeError('of the method');
      }
    }
    expect(() => new Jobs().run()).toThrow(new RangeError('of the method'));
  });
});

describe('a strict tracker', () => {
  it('throws for a promise in the data of @Track, and answers the request as the handler did', async () => {
    const reports: TrackingReport[] = [];

    @Controller()
    class Orders {
      @Get()
      @Track('order.created', { data: () => Promise.reject(new Error('lookup failed')) })
      create(): string {
        return 'ok';
      }
    }
    const app = await nestApp('express')
      .controllers(Orders)
      .tracking({
        strict: true,
        onError: (report) => {
          reports.push(report);
        },
      })
      .start();
    const status = await app.visit('/');
    await turns(5);
    // Thrown where the event is emitted, or reported as a failed callback: never swallowed.
    expect(status === 500 || reports.length > 0).toBe(true);
  });
});
