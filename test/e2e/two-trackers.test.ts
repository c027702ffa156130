import http from 'node:http';
import { Controller, Get, Module } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Tracker } from 'nestjs-tracking';
import { getTrackerToken, InjectTracker, TrackingModule } from 'nestjs-tracking';
import { createTracker } from 'nestjs-tracking/core';
import type { RequestOptions, RequestSummary } from 'nestjs-tracking/express';
import { trackingMiddleware } from 'nestjs-tracking/express';
import { memoryBackend } from 'nestjs-tracking/testing';
import { closeApps, startExpress } from '../support/express-app.js';
import { listening, turns, until } from '../support/http-app.js';
import { ADAPTERS, closeApps as closeNestApps, nestApp } from '../support/nest-app.js';
import type { AnyTracker, Deferred } from '../support/recording.js';
import { deferred, record } from '../support/recording.js';

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  await closeApps();
  await closeNestApps();
  for (const one of open.splice(0)) {
    await one.close();
  }
});

/** A tracker that shares the process's contexts, as another instance of an app does. */
function another(options: Partial<Parameters<typeof createTracker>[0]> = {}) {
  const memory = memoryBackend();
  const tracker: AnyTracker = createTracker({ backends: { memory }, onError: () => undefined, ...options });
  open.push(tracker);
  return { tracker, memory, names: () => memory.events.map(({ name }) => name) };
}

const failuresOnly: RequestOptions = { keep: ({ status = 0 }) => status >= 400 };

describe('a tracker beside the one that follows the requests', () => {
  /** An app of the first tracker, in whose requests the second one emits too. */
  const serve = async (request: RequestOptions, other: AnyTracker, gate?: Deferred) =>
    startExpress(
      (web, own) => {
        web.get('/:status', async (incoming, response) => {
          own.emit('own');
          own.child({ context: { child: true } }).emit('own of a child');
          other.emit('money.moved');
          other.child({ context: { child: true } }).emit('money.moved by a child');
          await other.emitAsync('money.counted');
          await gate?.promise;
          other.emit('money.checked');
          response.status(Number(incoming.params.status)).send('ok');
        });
      },
      { request },
    );
  const ITS_OWN = ['money.moved', 'money.moved by a child', 'money.counted', 'money.checked'];

  it.each([
    ['that are not kept', failuresOnly, 200, 2, 0],
    ['that are kept', failuresOnly, 500, 0, 2],
    ['that are never kept', { keep: () => false }, 500, 2, 0],
    ['that are held', { hold: true }, 200, 0, 2],
  ])('loses none of its events in requests %s', async (_what, request, status, dropped, kept) => {
    const { tracker: other, names } = another();
    const app = await serve(request, other);
    for (let round = 1; round <= 3; round++) {
      expect((await app.send(`/${status}`)).status).toBe(status);
      await until(() => {
        const { accepted, dropped: lost } = app.tracker.stats();
        return accepted + (lost['outcome'] ?? 0) === 2 * round;
      });
    }
    expect(names()).toStrictEqual([...ITS_OWN, ...ITS_OWN, ...ITS_OWN]);
    expect(other.stats()).toMatchObject({ accepted: 12, dropped: {} });
    expect(app.memory.events).toHaveLength(3 * kept);
    expect(app.tracker.stats().dropped['outcome'] ?? 0).toBe(3 * dropped);
  });

  it.each([
    ['keep', failuresOnly],
    ['hold', { hold: true }],
  ])('waits for no outcome under %s, and carries the request all the same', async (_what, request) => {
    const gate = deferred();
    const { tracker: other, memory, names } = another();
    const app = await serve(request, other, gate);
    const answer = app.send('/200');
    await memory.waitFor('money.counted');
    expect(names()).toStrictEqual(ITS_OWN.slice(0, 3));
    expect(app.memory.events).toStrictEqual([]);
    gate.resolve();
    await answer;
    await memory.waitFor('money.checked');
    for (const { context } of memory.events) {
      expect(context['request']).toMatchObject({ path: '/200', route: '/:status' });
      expect(context['request']).not.toHaveProperty('status');
    }
  });

  it('decides over its late events itself', async () => {
    const { tracker: other, names } = another();
    const late = deferred();
    const app = await startExpress(
      (web, own) => {
        web.get('/', (_request, response) => {
          void late.promise.then(() => {
            own.emit('own');
            other.emit('money.moved');
          });
          response.send('ok');
        });
      },
      { request: failuresOnly },
    );
    await app.send('/');
    await turns(10);
    late.resolve();
    await turns();
    expect(app.memory.events).toStrictEqual([]);
    expect(names()).toStrictEqual(['money.moved']);
  });

  it('is not counted in the summary of the request', async () => {
    const summaries: RequestSummary[] = [];
    const { tracker: other } = another({
      processors: [(event) => (event.name === 'money.moved' ? [] : event)],
    });
    const app = await serve(
      {
        onEnd: (summary) => {
          summaries.push(summary);
        },
      },
      other,
    );
    await app.send('/200');
    await until(() => summaries.length > 0);
    expect(summaries).toMatchObject([{ events: 2, dropped: 0 }]);
  });

  it.each([true, 'required'] as const)(
    'neither delays nor refuses a response under awaitAccepted: %p',
    async (awaitAccepted) => {
      const never = (): Promise<never> => new Promise(() => undefined);
      const { tracker: slow } = another({ backends: { never: { send: never } } });
      const { tracker: full } = another({
        backends: { full: { send: () => Promise.reject(new Error('no room')) } },
      });
      const app = await startExpress(
        (web, own) => {
          web.get('/', (_request, response) => {
            own.emit('own');
            slow.emit('money.moved');
            full.emit('money.moved');
            response.send('ok');
          });
        },
        { request: { awaitAccepted, acceptTimeoutMs: 500 } },
      );
      expect((await app.send('/')).status).toBe(200);
      expect(app.reports).toStrictEqual([]);
      await slow.close({ timeoutMs: 1 });
    },
  );

  it('does not wait for room where the owner would', async () => {
    const { tracker: other } = another({
      backends: { slow: { send: () => new Promise(() => undefined) } },
      limits: { maxPending: 1 },
    });
    const app = await startExpress(
      (web) => {
        web.get('/', (_request, response) => {
          other.emit('a');
          other.emit('b');
          response.send('ok');
        });
      },
      { request: { awaitAccepted: true } },
    );
    await app.send('/');
    expect(other.stats().backends['slow']?.dropped).toStrictEqual({ overflow: 1 });
    await other.close({ timeoutMs: 1 });
  });

  it('is not held by the first where both have the middleware', async () => {
    const { tracker: other, names } = another();
    const app = await startExpress(
      (web, own) => {
        web.use(trackingMiddleware(other));
        web.get('/', (_request, response) => {
          own.emit('own');
          other.emit('money.moved');
          response.send('ok');
        });
      },
      { request: { keep: () => false } },
    );
    await app.send('/');
    await until(() => app.tracker.stats().dropped['outcome'] === 1);
    expect(names()).toStrictEqual(['money.moved']);
  });

  it('serves an app of its own that is called inside a request of the first', async () => {
    const { tracker: other, memory } = another();
    const inner = http.createServer((request, response) => {
      trackingMiddleware(other)(request, response, () => {
        other.emit('money.moved');
        response.end('ok');
      });
    });
    const second = await listening(inner);
    open.push(second);
    const app = await startExpress(
      (web, own) => {
        web.get('/', async (_request, response) => {
          own.emit('own');
          await second.send('/inner');
          response.send('ok');
        });
      },
      { request: { keep: () => false } },
    );
    await app.send('/');
    await until(() => app.tracker.stats().dropped['outcome'] === 1);
    expect(memory.events.map(({ context }) => context['request'])).toMatchObject([{ path: '/inner' }]);
  });

  it('has its own store, if it was given one, and sees nothing of the request', async () => {
    const run = record();
    const app = await serve({ keep: () => false }, run.tracker);
    await app.send('/200');
    await until(() => app.tracker.stats().dropped['outcome'] === 2);
    expect(run.memory.events.map(({ name }) => name)).toStrictEqual(ITS_OWN);
    expect(run.memory.events[0]?.context).toStrictEqual({});
  });
});

describe.each(ADAPTERS)('a second instance of Nest on %s', (adapter) => {
  @Controller('feature')
  class Feature {
    constructor(@InjectTracker('audit') private readonly audit: Tracker) {}

    @Get()
    ok(): string {
      this.audit.emit('feature.used');
      return 'ok';
    }
  }

  @Module({
    imports: [TrackingModule.forFeature({ name: 'audit', context: { feature: 'f' } })],
    controllers: [Feature],
  })
  class FeatureModule {}

  @Controller()
  class Money {
    constructor(
      @InjectTracker() private readonly tracker: Tracker,
      @InjectTracker('audit') private readonly audit: Tracker,
    ) {}

    @Get('ok')
    ok(): string {
      this.tracker.emit('page.opened');
      this.audit.emit('money.moved');
      return 'ok';
    }

    @Get('broken')
    broken(): never {
      this.tracker.emit('page.opened');
      this.audit.emit('money.moved');
      throw new Error('broken');
    }
  }

  it.each([
    ['keep', { keep: ({ status = 0 }: { status?: number }) => status >= 400 }],
    ['keep and hold', { hold: { maxEvents: 10 }, keep: () => false }],
    ['hold', { hold: true }],
  ])('keeps all its events, whatever %s of the default one says', async (_what, request) => {
    const audit = memoryBackend();
    const app = await nestApp(adapter)
      .tracking({ request })
      .trackingModule((defaults) =>
        TrackingModule.forRoot({ ...defaults, name: 'audit', backends: { memory: audit } }),
      )
      .imports(FeatureModule)
      .controllers(Money)
      .start();
    expect(await app.visit('/ok')).toBe(200);
    expect(await app.visit('/ok')).toBe(200);
    expect(await app.visit('/broken')).toBe(500);
    expect(await app.visit('/feature')).toBe(200);
    const tracker = app.app.get<Tracker>(getTrackerToken('audit'));
    expect(tracker.stats()).toMatchObject({ accepted: 4, dropped: {} });
    expect(audit.events.map(({ name }) => name)).toStrictEqual([
      'money.moved',
      'money.moved',
      'money.moved',
      'feature.used',
    ]);
    for (const { context } of audit.events) {
      expect(context['request']).not.toHaveProperty('status');
      expect(context['handler']).toMatchObject({ kind: 'http' });
    }
    expect(audit.events.at(-1)?.context).toMatchObject({ feature: 'f' });
    expect(app.reports).toStrictEqual([]);
  });
});
