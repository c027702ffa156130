import type { DynamicModule, INestApplicationContext, Provider } from '@nestjs/common';
import { Global, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { describe, expect, it } from '@jest/globals';
import type { Tracker, TrackingModuleOptions } from 'nestjs-tracking';
import { getTrackerToken, TrackingModule } from 'nestjs-tracking';
import { httpBackend } from 'nestjs-tracking/http';
import { fakeClock, startCollector } from 'nestjs-tracking/testing';
import { turns, until } from '../support/http-app.js';
import { untyped } from '../support/recording.js';
import { QUIET } from '../support/transports.js';

const HOOKS = ['onModuleDestroy', 'beforeApplicationShutdown', 'onApplicationShutdown'] as const;

interface Scene {
  /** Whether the module with the hook stands before TrackingModule. */
  readonly first: boolean;
  readonly global: boolean;
  readonly async: boolean;
  /** Whether the hook's provider injects the tracker, or has it by hand. */
  readonly injected: boolean;
  readonly hook: (typeof HOOKS)[number];
}

/** Every way to put them together, the hook apart. */
const PLACES: readonly (readonly [string, Omit<Scene, 'hook'>])[] = [true, false].flatMap((first) =>
  [true, false].flatMap((global) =>
    [true, false].flatMap((async) =>
      [true, false].map((injected) => {
        const what = `a ${global ? 'global' : 'plain'} module ${first ? 'before' : 'behind'} ${async ? 'forRootAsync' : 'forRoot'}, the tracker ${injected ? 'injected' : 'by hand'}`;
        return [what, { first, global, async, injected }] as const;
      }),
    ),
  ),
);

interface Ending {
  readonly tracker: Tracker;
  close(): Promise<void>;
}

/** An app with one module whose hook does something. */
async function boot(
  scene: Scene,
  options: TrackingModuleOptions,
  work: (tracker: Tracker) => Promise<void>,
  more: readonly DynamicModule[] = [],
): Promise<Ending> {
  const byHand: { tracker?: Tracker } = {};
  const provider: Provider = {
    provide: 'JOBS',
    inject: scene.injected ? [getTrackerToken()] : [],
    useFactory: (tracker?: Tracker) => ({ [scene.hook]: () => work(tracker ?? byHand.tracker!) }),
  };

  @Module({ providers: [provider] })
  class PlainJobs {}

  @Global()
  @Module({ providers: [provider] })
  class GlobalJobs {}

  const jobs = scene.global ? GlobalJobs : PlainJobs;
  const tracking = scene.async
    ? TrackingModule.forRootAsync({ useFactory: () => Promise.resolve(options) })
    : TrackingModule.forRoot(options);

  @Module({ imports: [...(scene.first ? [jobs, tracking] : [tracking, jobs]), ...more] })
  class AppModule {}

  const app = await NestFactory.create(AppModule, new ExpressAdapter(), QUIET);
  const tracker = app.get<Tracker>(getTrackerToken());
  byHand.tracker = tracker;
  await app.listen(0, '127.0.0.1');
  return { tracker, close: () => app.close() };
}

/** A backend that keeps what it is sent until it is flushed, and loses what comes after its close. */
function buffering() {
  const calls: string[] = [];
  const delivered: string[] = [];
  let waiting: string[] = [];
  let closed = false;
  const write = (): Promise<void> => {
    delivered.push(...waiting);
    waiting = [];
    return Promise.resolve();
  };
  return {
    calls,
    delivered,
    backend: {
      send: ({ name }: { name: string }) => {
        calls.push(name);
        if (closed) {
          throw new Error('closed');
        }
        waiting.push(name);
      },
      flush: write,
      close: () => {
        calls.push('close');
        closed = true;
        return write();
      },
    },
  };
}

describe.each(HOOKS)('what a job emits in its %s', (hook) => {
  it.each(PLACES)('is delivered: %s', async (_what, place) => {
    const { backend, calls, delivered } = buffering();
    const codes: string[] = [];
    const app = await boot(
      { ...place, hook },
      {
        backends: { backend },
        onError: ({ code }) => {
          codes.push(code);
        },
      },
      async (tracker) => {
        tracker.emit('job.ending');
        // A job that was under way ends.
        await turns(20);
        tracker.emit('job.done');
        await tracker.emitAsync('job.counted');
      },
    );
    await app.close();
    expect(delivered).toStrictEqual(['job.ending', 'job.done', 'job.counted']);
    expect(calls).toStrictEqual(['job.ending', 'job.done', 'job.counted', 'close']);
    expect(app.tracker.stats()).toMatchObject({ accepted: 3, dropped: {} });
    expect(codes).toStrictEqual([]);
  });
});

describe('a shutdown with hooks of the app', () => {
  const worst: Scene = {
    first: true,
    global: true,
    async: false,
    injected: true,
    hook: 'onApplicationShutdown',
  };

  it('sends what they emit to a destination', async () => {
    const collector = await startCollector();
    const app = await boot(
      worst,
      { backends: { http: httpBackend({ url: collector.url, batch: { maxDelayMs: 60_000 } }) } },
      async (tracker) => {
        await turns(20);
        tracker.emit('job.done');
      },
    );
    await app.close();
    expect(collector.requests.flatMap(({ events }) => events).map(({ name }) => name)).toStrictEqual([
      'job.done',
    ]);
    await collector.close();
  });

  it('waits for all of them, wherever they stand', async () => {
    const { backend, calls, delivered } = buffering();
    const hooked = (name: string): DynamicModule => {
      @Global()
      @Module({
        providers: [
          {
            provide: name,
            inject: [getTrackerToken()],
            useFactory: (tracker: Tracker) => ({
              onApplicationShutdown: async () => {
                await turns(10);
                tracker.emit(name);
              },
            }),
          },
        ],
      })
      class HookedModule {}
      return { module: HookedModule };
    };
    const app = await boot(
      worst,
      { backends: { backend } },
      async (tracker) => {
        await turns(10);
        tracker.emit('first');
      },
      ['second', 'third', 'fourth'].map(hooked),
    );
    await app.close();
    expect([...delivered].sort()).toStrictEqual(['first', 'fourth', 'second', 'third']);
    expect(calls.at(-1)).toBe('close');
    expect(app.tracker.stats().dropped).toStrictEqual({});
  });

  it('closes when its time is up, whatever hangs', async () => {
    const clock = fakeClock();
    const { backend, calls, delivered } = buffering();
    let ending = false;
    const app = await boot(
      worst,
      { backends: { backend }, clock, shutdownTimeoutMs: 4_000, onError: () => undefined },
      (tracker) => {
        ending = true;
        tracker.emit('job.ending');
        return new Promise(() => undefined);
      },
    );
    void app.close();
    await until(() => ending);
    await clock.advance(2_000);
    expect(calls).toStrictEqual(['job.ending']);
    await clock.advance(2_000);
    await until(() => calls.includes('close'));
    expect(delivered).toStrictEqual(['job.ending']);
    app.tracker.emit('too late');
    expect(app.tracker.stats().dropped).toStrictEqual({ closed: 1 });
  });

  it('closes once, though it is asked for twice, and takes nothing after that', async () => {
    const { backend, calls } = buffering();
    const app = await boot(worst, { backends: { backend }, onError: () => undefined }, async (tracker) => {
      await turns(5);
      tracker.emit('job.done');
    });
    await Promise.all([app.close(), app.close()]);
    app.tracker.emit('too late');
    expect(calls.filter((call) => call === 'close')).toHaveLength(1);
    expect(app.tracker.stats().dropped).toStrictEqual({ closed: 1 });
  });

  it('with a failing hook closes in its time, too', async () => {
    const clock = fakeClock();
    const { backend, calls, delivered } = buffering();
    const app = await boot(
      worst,
      { backends: { backend }, clock, shutdownTimeoutMs: 4_000 },
      async (tracker) => {
        await turns(1);
        tracker.emit('job.failed');
        throw new Error('no database');
      },
    );
    await app.close().catch(() => undefined);
    await clock.advance(4_000);
    await until(() => calls.includes('close'));
    expect(delivered).toStrictEqual(['job.failed']);
  });
});

describe('a shutdown without a server', () => {
  it.each([true, false])('delivers what a job emits last, in a global module: %p', async (global) => {
    const { backend, delivered } = buffering();
    const provider: Provider = {
      provide: 'JOBS',
      inject: [getTrackerToken()],
      useFactory: (tracker: Tracker) => ({
        onApplicationShutdown: async () => {
          await turns(20);
          tracker.emit('job.done');
        },
      }),
    };

    @Module({ providers: [provider] })
    class Jobs {}

    @Global()
    @Module({ providers: [provider] })
    class GlobalJobs {}

    @Module({ imports: [global ? GlobalJobs : Jobs, TrackingModule.forRoot({ backends: { backend } })] })
    class AppModule {}

    const app: INestApplicationContext = await NestFactory.createApplicationContext(
      AppModule,
      untyped(QUIET),
    );
    await app.close();
    expect(delivered).toStrictEqual(['job.done']);
  });
});
