import 'reflect-metadata';
import type { INestApplicationContext } from '@nestjs/common';
import { Controller, Get, Injectable, Module, Sse } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { once } from 'node:events';
import http from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { NEVER, type Observable } from 'rxjs';
import type { Tracker, TrackingModuleOptions } from 'nestjs-tracking';
import { getTrackerToken, InjectTracker, TrackingModule } from 'nestjs-tracking';
import type { Backend, TimeBudget } from 'nestjs-tracking/core';
import { fakeClock } from 'nestjs-tracking/testing';
import { Shutdown } from '../../lib/nest/shutdown.js';
import { turns, until } from '../support/http-app.js';
import { closeNestApps, PLATFORMS, startNest } from '../support/nest-http-app.js';
import { deferred, untyped } from '../support/recording.js';

/** What handlers wait for. */
let gate = deferred();
afterEach(async () => {
  gate.resolve();
  gate = deferred();
  await closeNestApps();
});

@Controller()
class Work {
  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  @Get('waiting')
  async waiting(): Promise<string> {
    this.tracker.emit('begun');
    await gate.promise;
    this.tracker.emit('done');
    return 'ok';
  }

  @Sse('stream')
  stream(): Observable<MessageEvent> {
    this.tracker.emit('stream.opened');
    return NEVER;
  }
}

interface Spy {
  readonly backend: Backend;
  /** What the backend was asked for, in order. */
  readonly calls: string[];
  readonly budgets: Record<string, number>;
}

/** A backend that writes down what it is asked for. */
function spy(during: { flush?: () => Promise<void>; close?: () => Promise<void> } = {}): Spy {
  const calls: string[] = [];
  const budgets: Record<string, number> = {};
  const asked = (what: 'flush' | 'close') => (budget?: TimeBudget) => {
    calls.push(what);
    budgets[what] = budget?.timeoutMs ?? NaN;
    return during[what]?.() ?? Promise.resolve();
  };
  return {
    calls,
    budgets,
    backend: {
      send: ({ name }) => {
        calls.push(name);
      },
      flush: asked('flush'),
      close: asked('close'),
    },
  };
}

const hang = (): Promise<never> => new Promise(() => undefined);

describe.each(PLATFORMS)('on %s, a shutdown', (platform) => {
  it('drains at once, serves what is in flight with its events, and then closes', async () => {
    const { backend, calls } = spy();
    const app = await startNest(platform, {
      controllers: [Work],
      backends: { backend },
    });
    const answer = app.send('/waiting');
    await until(() => calls.includes('begun'));
    const closed = app.app.close();
    await until(() => calls.includes('flush'));
    await turns(20);
    expect(calls).toStrictEqual(['begun', 'flush']);
    gate.resolve();
    expect(await answer).toMatchObject({ status: 200, body: 'ok' });
    await closed;
    expect(calls).toStrictEqual(['begun', 'flush', 'done', 'flush', 'close']);
    expect(app.tracker.stats()).toMatchObject({ accepted: 2, dropped: {} });
  });

  it('tells held events of requests in flight how they end', async () => {
    const app = await startNest(platform, {
      controllers: [Work],
      request: { hold: true },
    });
    const answer = app.send('/waiting');
    await turns(20);
    const closed = app.app.close();
    await turns(20);
    gate.resolve();
    await answer;
    await closed;
    expect(app.memory.events.map(({ context }) => context['request'])).toMatchObject([
      { status: 200 },
      { status: 200 },
    ]);
  });

  it('may be asked for twice', async () => {
    const { backend, calls } = spy();
    const app = await startNest(platform, { backends: { backend } });
    await Promise.all([app.app.close(), app.app.close()]);
    await app.app.close();
    expect(calls.filter((call) => call === 'close')).toHaveLength(1);
  });

  it('closes in the last quarter of its time when HTTP does not end', async () => {
    const clock = fakeClock();
    const { backend, calls, budgets } = spy();
    const app = await startNest(platform, {
      controllers: [Work],
      backends: { backend },
      clock,
      shutdownTimeoutMs: 4_000,
      request: { hold: true },
    });
    const request = http.get(`${app.url}/stream`);
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const closed = app.app.close();
    await until(() => calls.includes('flush'));
    expect(budgets['flush']).toBe(3_000);
    await clock.advance(2_999);
    await turns(20);
    expect(calls).toStrictEqual(['flush']);
    await clock.advance(1);
    await until(() => calls.includes('close'));
    // What the stream held leaves without an outcome.
    expect(calls).toStrictEqual(['flush', 'stream.opened', 'flush', 'close']);
    expect(budgets['close']).toBe(1_000);
    app.tracker.emit('too late');
    expect(app.tracker.stats().dropped).toStrictEqual({ closed: 1 });
    response.destroy();
    await closed;
    expect(calls.filter((call) => call === 'close')).toHaveLength(1);
  });

  it('has one deadline for HTTP and the backends together', async () => {
    const clock = fakeClock();
    const { backend, calls, budgets } = spy({ flush: hang, close: hang });
    const app = await startNest(platform, {
      controllers: [Work],
      backends: { backend },
      clock,
      shutdownTimeoutMs: 4_000,
    });
    const answer = app.send('/waiting');
    await until(() => calls.includes('begun'));
    let isClosed = false;
    const closed = app.app.close().then(() => {
      isClosed = true;
    });
    await until(() => calls.includes('flush'));
    expect(budgets['flush']).toBe(3_000);
    await clock.advance(1_000);
    gate.resolve();
    await answer;
    await until(() => calls.filter((call) => call === 'flush').length === 2);
    expect(budgets['flush']).toBe(2_000);
    await clock.advance(1_999);
    expect(calls).not.toContain('close');
    await clock.advance(1);
    // A quarter of the time is kept for what closing has to do, dead letters above all.
    expect(calls.at(-1)).toBe('close');
    expect(budgets['close']).toBe(1_000);
    await clock.advance(999);
    await turns(20);
    expect(isClosed).toBe(false);
    await clock.advance(1);
    await closed;
    expect(clock.monotonicMs()).toBe(4_000);
    expect(app.reports.map(({ code }) => code)).toContain('timeout');
  });

  it('is over at once when nothing is left to do', async () => {
    const clock = fakeClock();
    const app = await startNest(platform, { clock });
    app.tracker.emit('a');
    await app.app.close();
    expect(clock.monotonicMs()).toBe(0);
    expect(app.memory.events).toHaveLength(1);
  });

  it('takes the events of the hooks of other modules, the last ones too', async () => {
    @Injectable()
    class Hooks {
      constructor(@InjectTracker() private readonly tracker: Tracker) {}
      onModuleDestroy(): void {
        this.tracker.emit('destroyed');
      }
      beforeApplicationShutdown(): void {
        this.tracker.emit('before');
      }
      async onApplicationShutdown(): Promise<void> {
        await turns();
        this.tracker.emit('last');
      }
    }
    const app = await startNest(platform, { providers: [Hooks] });
    await app.app.close();
    expect(app.memory.events.map(({ name }) => name)).toStrictEqual(['destroyed', 'before', 'last']);
    expect(app.tracker.stats().dropped).toStrictEqual({});
  });
});

async function context(
  options: readonly [TrackingModuleOptions, name?: string][],
): Promise<INestApplicationContext> {
  @Module({
    imports: [...options.map(([given, name = 'default']) => TrackingModule.forRoot({ ...given, name }))],
  })
  class AppModule {}
  return NestFactory.createApplicationContext(AppModule, untyped({ logger: false }));
}

describe('a shutdown', () => {
  it('of a standalone app flushes and closes', async () => {
    const { backend, calls } = spy();
    const app = await context([[{ backends: { backend } }]]);
    app.get<Tracker>(getTrackerToken()).emit('a');
    await app.close();
    expect(calls).toStrictEqual(['a', 'flush', 'flush', 'close']);
  });

  it('closes all instances under one deadline, the longest of theirs', async () => {
    const clock = fakeClock();
    const hanging = spy({ flush: hang, close: hang });
    const other = spy({ flush: hang, close: hang });
    const fine = spy();
    const onError = (): void => undefined;
    const app = await context([
      [
        {
          backends: { hanging: hanging.backend },
          clock,
          onError,
          shutdownTimeoutMs: 1_000,
        },
        'a',
      ],
      [
        {
          backends: { other: other.backend },
          clock,
          onError,
          shutdownTimeoutMs: 3_000,
        },
        'b',
      ],
      [{ backends: { fine: fine.backend }, clock, onError }, 'c'],
    ]);
    // The default of the third one: 8,000 ms.
    let isClosed = false;
    const closed = app.close().then(() => {
      isClosed = true;
    });
    await until(() => fine.calls.includes('close'));
    await clock.advance(7_999);
    await turns();
    expect(isClosed).toBe(false);
    await clock.advance(1);
    await closed;
    expect(clock.monotonicMs()).toBe(8_000);
    expect(hanging.calls.at(-1)).toBe('close');
    expect(other.calls.at(-1)).toBe('close');
  });

  it('survives a backend that fails to flush and to close', async () => {
    const fail = (): Promise<never> => Promise.reject(new Error('no'));
    const { backend } = spy({ flush: fail, close: fail });
    const codes: string[] = [];
    const app = await context([
      [
        {
          backends: { backend },
          onError: ({ code }) => {
            codes.push(code);
          },
        },
      ],
    ]);
    await app.close();
    expect(new Set(codes)).toStrictEqual(new Set(['backend_failed']));
  });

  it.each(PLATFORMS)('of a %s app that never listened flushes and closes', async (platform) => {
    const { backend, calls } = spy();

    @Module({ imports: [TrackingModule.forRoot({ backends: { backend } })] })
    class AppModule {}
    const { FastifyAdapter } = await import('@nestjs/platform-fastify');
    const { ExpressAdapter } = await import('@nestjs/platform-express');
    const app = await NestFactory.create(
      AppModule,
      platform === 'fastify' ? new FastifyAdapter() : new ExpressAdapter(),
      untyped({ logger: false }),
    );
    app.get<Tracker>(getTrackerToken()).emit('a');
    await app.close();
    expect(calls.at(-1)).toBe('close');
    expect(calls[0]).toBe('a');
  });

  it('of a microservice flushes and closes', async () => {
    const { Transport } = await import('@nestjs/microservices');
    const { backend, calls } = spy();

    @Module({ imports: [TrackingModule.forRoot({ backends: { backend } })] })
    class AppModule {}
    const app = await NestFactory.createMicroservice(
      AppModule,
      untyped<object>({
        transport: Transport.TCP,
        options: { host: '127.0.0.1', port: 0 },
        logger: false,
      }),
    );
    await app.listen();
    app.get<Tracker>(getTrackerToken()).emit('a');
    await app.close();
    expect(calls).toStrictEqual(['a', 'flush', 'flush', 'close']);
  });

  it('of an app whose instances failed to start is over at once', async () => {
    const shutdown = new Shutdown();
    shutdown.begin([]);
    await expect(shutdown.finish([])).resolves.toBeUndefined();
  });
});
