import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import http from 'node:http';
import { Controller, Get } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { RequestOptions, RequestSummary } from 'nestjs-tracking/express';
import { trackingMiddleware } from 'nestjs-tracking/express';
import type { TrackingRequestOptions } from 'nestjs-tracking';
import { getTrackerToken } from 'nestjs-tracking';
import { createTracker } from 'nestjs-tracking/core';
import type { FakeClock } from 'nestjs-tracking/testing';
import { fakeClock, memoryBackend } from 'nestjs-tracking/testing';
import type { TrackedApp, TrackedAppOptions } from '../support/express-app.js';
import { closeApps, startExpress } from '../support/express-app.js';
import { turns } from '../support/http-app.js';
import { ADAPTERS, closeApps as closeNestApps, nestApp } from '../support/nest-app.js';
import type { Deferred } from '../support/recording.js';
import { deferred, untyped } from '../support/recording.js';

afterEach(async () => {
  await closeApps();
  await closeNestApps();
});

/** Runs something where the handler would have: as a timer, a socket or a worker does that the handler made. */
type Resume = <T>(work: () => T) => T;

const LATE_MS = 1_000;
const withLateMs = (options: object = {}): RequestOptions => untyped({ lateMs: LATE_MS, ...options });

/** Options that follow a request to its end, and some that do not. */
const SETTINGS: readonly [string, RequestOptions, kept: boolean][] = [
  ['nothing set', {}, true],
  ['hold', { hold: true }, true],
  ['keep that keeps', { keep: () => true }, true],
  ['keep that drops', { keep: () => false }, false],
  ['onEnd', { onEnd: () => undefined }, true],
  ['awaitAccepted', { awaitAccepted: true }, true],
  ['no flush at the end', { flushAtEnd: false }, true],
];

interface Ended extends TrackedApp {
  readonly clock: FakeClock;
  readonly resume: Resume;
  /** What `user` was asked with; the app changes it as it likes. */
  readonly source: { user?: unknown };
}

interface Visit {
  readonly app: TrackedApp;
  readonly clock: FakeClock;
  /** Those of the requests so far, in their order. */
  readonly resumes: Resume[];
  readonly sources: { user?: unknown }[];
  /** Resolves when the request of that number is over. */
  readonly closed: Deferred[];
  /** Lets the handler of `/waiting` end. */
  readonly gate: Deferred;
}

/** An app whose handlers leave their async context to the test. */
async function serve(request: RequestOptions, tracker: TrackedAppOptions['tracker'] = {}): Promise<Visit> {
  const clock = fakeClock();
  const visit = {
    resumes: [] as Resume[],
    sources: [] as object[],
    closed: [] as Deferred[],
    gate: deferred(),
  };
  const app = await startExpress(
    (web, own) => {
      web.use((source, response, next) => {
        const over = deferred();
        visit.resumes.push(AsyncLocalStorage.snapshot());
        visit.sources.push(source);
        visit.closed.push(over);
        response.once('close', over.resolve);
        Object.assign(source, { user: { id: source.headers['x-user'] ?? 'ada' } });
        next();
      });
      web.get('/orders/:id', (_request, response) => {
        own.enterContext('order', { order: 7 });
        own.emit('seen');
        response.send('ok');
      });
      web.get('/nested', (_request, response) => {
        own.enterContext('order', { order: 7 });
        own.context('poller', { poller: 1 }, () => {
          visit.resumes.push(AsyncLocalStorage.snapshot());
        });
        response.send('ok');
      });
      web.get('/silent/:id', (_request, response) => {
        response.send('ok');
      });
      web.get('/waiting', async (_request, response) => {
        own.emit('seen');
        await visit.gate.promise;
        response.send('ok');
      });
    },
    { request, tracker: { clock, context: { app: 'shop' }, ...tracker } },
  );
  return { ...visit, app, clock };
}

/** One request, which has ended. */
async function ended(
  request: RequestOptions,
  { path = '/orders/7', tracker = {} }: { path?: string; tracker?: TrackedAppOptions['tracker'] } = {},
): Promise<Ended> {
  const { app, clock, resumes, sources, closed } = await serve(request, tracker);
  await app.send(path);
  await closed[0]?.promise;
  await turns();
  return { ...app, clock, resume: resumes[0]!, source: sources[0]! };
}

const ofRequest = ({ context }: { readonly context: object }): readonly unknown[] => {
  const { request, user } = context as { request?: { path?: string }; user?: { id?: string } };
  return [request?.path, user?.id];
};

describe.each(SETTINGS)('a request with %s', (_what, options, kept) => {
  it('decides over its late events and signs them until lateMs after its end', async () => {
    const { tracker, memory, clock, resume } = await ended(withLateMs(options));
    memory.clear();
    const before = tracker.stats().dropped['outcome'] ?? 0;
    await clock.advance(LATE_MS - 1);
    resume(() => {
      tracker.emit('late');
    });
    await turns();
    expect(memory.events.map(ofRequest)).toStrictEqual(kept ? [['/orders/7', 'ada']] : []);
    expect(tracker.stats().dropped['outcome'] ?? 0).toBe(before + (kept ? 0 : 1));
  });

  it('neither holds, drops nor signs anything later', async () => {
    const { tracker, memory, clock, resume, reports } = await ended(withLateMs(options));
    memory.clear();
    const { dropped } = tracker.stats();
    await clock.advance(LATE_MS);
    for (const name of ['tick', 'tock']) {
      resume(() => {
        tracker.emit(name, { n: 1 });
      });
    }
    expect(memory.events).toMatchObject([{ name: 'tick', data: { n: 1 }, context: {} }, { name: 'tock' }]);
    expect(memory.events.map(({ context }) => context)).toStrictEqual([{ app: 'shop' }, { app: 'shop' }]);
    expect(tracker.stats().dropped).toStrictEqual(dropped);
    // For ever.
    await clock.advance(100 * LATE_MS);
    await resume(() => tracker.emitAsync('tack'));
    expect(memory.events.map(({ context }) => context).at(-1)).toStrictEqual({ app: 'shop' });
    expect(reports).toStrictEqual([]);
  });

  it('counts as an empty scope then', async () => {
    const { tracker, clock, resume } = await ended(withLateMs(options));
    const child = tracker.child({ context: { module: 'cart' } });
    expect(resume(() => tracker.resolveContext())).toMatchObject({
      app: 'shop',
      user: { id: 'ada' },
      order: 7,
    });
    await clock.advance(LATE_MS);
    expect(resume(() => tracker.resolveContext())).toStrictEqual({ app: 'shop' });
    expect(resume(() => child.resolveContext())).toStrictEqual({ app: 'shop', module: 'cart' });
    resume(() => {
      tracker.context('job', { job: 1 }, () => {
        expect(tracker.resolveContext()).toStrictEqual({ app: 'shop', job: 1 });
      });
    });
  });

  it('is over after 60 s where nothing else is said', async () => {
    const { tracker, memory, clock, resume } = await ended(options);
    memory.clear();
    await clock.advance(59_999);
    expect(resume(() => tracker.resolveContext())).toHaveProperty('user');
    await clock.advance(1);
    resume(() => {
      tracker.emit('tick');
    });
    expect(memory.events.map(({ context }) => context)).toStrictEqual([{ app: 'shop' }]);
  });

  it('lets its time begin with its end, however long it took', async () => {
    const { app, clock, resumes, closed, gate } = await serve(withLateMs(options));
    const answer = app.send('/waiting');
    await app.memory.waitFor('seen').catch(() => undefined);
    await clock.advance(20 * LATE_MS);
    expect(resumes[0]!(() => app.tracker.resolveContext())).toMatchObject({ user: { id: 'ada' } });
    gate.resolve();
    await answer;
    await closed[0]?.promise;
    await clock.advance(LATE_MS - 1);
    expect(resumes[0]!(() => app.tracker.resolveContext())).toMatchObject({ user: { id: 'ada' } });
    await clock.advance(1);
    expect(resumes[0]!(() => app.tracker.resolveContext())).toStrictEqual({ app: 'shop' });
  }, 30_000);

  it('is over the same way when its client went away', async () => {
    const { app, clock, resumes, closed } = await serve(withLateMs(options));
    const socket = await app.abort('/waiting');
    for (let turn = 0; resumes.length === 0 && turn < 1_000; turn++) {
      await turns();
    }
    socket.destroy();
    await closed[0]?.promise;
    await turns();
    expect(resumes[0]!(() => app.tracker.resolveContext())).toMatchObject({ user: { id: 'ada' } });
    await clock.advance(LATE_MS);
    app.memory.clear();
    resumes[0]!(() => {
      app.tracker.emit('tick');
    });
    expect(app.memory.events.map(({ context }) => context)).toStrictEqual([{ app: 'shop' }]);
  });
});

describe('requests on one connection', () => {
  it('retire one after the other, each at its own time', async () => {
    const { app, clock, resumes, closed } = await serve(withLateMs({ keep: () => false }));
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    await app.send('/orders/1', { agent, headers: { 'x-user': 'ada' } });
    await closed[0]?.promise;
    await clock.advance(LATE_MS / 2);
    await app.send('/orders/2', { agent, headers: { 'x-user': 'bob' } });
    await closed[1]?.promise;
    agent.destroy();
    const usersOf = (): unknown[] =>
      resumes.map((resume) => (resume(() => app.tracker.resolveContext()) as { user?: unknown }).user);
    expect(usersOf()).toStrictEqual([{ id: 'ada' }, { id: 'bob' }]);
    await clock.advance(LATE_MS / 2);
    expect(usersOf()).toStrictEqual([undefined, { id: 'bob' }]);
    const before = app.tracker.stats().dropped['outcome'] ?? 0;
    for (const resume of resumes) {
      resume(() => {
        app.tracker.emit('tick');
      });
    }
    // The first decides no more, the second does.
    expect(app.memory.events.map(({ context }) => context)).toStrictEqual([{ app: 'shop' }]);
    expect(app.tracker.stats().dropped['outcome']).toBe(before + 1);
    await clock.advance(LATE_MS / 2);
    expect(usersOf()).toStrictEqual([undefined, undefined]);
  });
});

describe('a retired request', () => {
  it('is retired for the other trackers that read its frames, too', async () => {
    const second = memoryBackend();
    const other = createTracker({ backends: { second }, context: { other: true } });
    const { clock, resume } = await ended(withLateMs({ hold: true }));
    expect(resume(() => other.resolveContext())).toMatchObject({ user: { id: 'ada' } });
    await clock.advance(LATE_MS);
    expect(resume(() => other.resolveContext())).toStrictEqual({ other: true });
    await other.close();
  });

  it('shows nothing of itself in contexts that its handler entered', async () => {
    const { app, clock, resumes, closed } = await serve(withLateMs({ keep: () => false }));
    await app.send('/nested');
    await closed[0]?.promise;
    await turns();
    const [, nested] = resumes;
    expect(nested!(() => app.tracker.resolveContext())).toMatchObject({ poller: 1, user: { id: 'ada' } });
    await clock.advance(LATE_MS);
    nested!(() => {
      app.tracker.emit('tick');
    });
    expect(app.memory.events).toHaveLength(1);
    for (const key of ['request', 'user', 'session', 'order']) {
      expect(app.memory.events[0]?.context).not.toHaveProperty(key);
    }
    expect(app.tracker.stats().dropped).toStrictEqual({});
  });

  it('lets emit drop what finds no room, as outside any request', async () => {
    const gates: Deferred[] = [];
    const { tracker, clock, resume } = await ended(withLateMs({ awaitAccepted: true }), {
      path: '/silent/1',
      tracker: {
        limits: { maxPending: 1 },
        backends: {
          slow: {
            send: () => {
              const gate = deferred();
              gates.push(gate);
              return gate.promise;
            },
          },
        },
      },
    });
    await clock.advance(LATE_MS);
    resume(() => {
      tracker.emit('a');
      tracker.emit('b');
    });
    expect(tracker.stats().backends['slow']?.dropped).toStrictEqual({ overflow: 1 });
    gates[0]?.resolve();
  });

  it("is no more counted in anybody's summary", async () => {
    const summaries: RequestSummary[] = [];
    const { tracker, clock, resume } = await ended(
      withLateMs({
        onEnd: (summary: RequestSummary) => {
          summaries.push(summary);
        },
      }),
    );
    await clock.advance(LATE_MS);
    resume(() => {
      tracker.emit('tick');
    });
    await turns();
    expect(summaries).toMatchObject([{ events: 1, dropped: 0 }]);
  });
});

describe('lateMs', () => {
  it.each([-1, Number.NaN, '60000', null, {}])('is refused as %p, by name', async (lateMs) => {
    const { app } = await serve({});
    expect(() => trackingMiddleware(app.tracker, untyped({ lateMs }))).toThrow(
      expect.objectContaining({
        code: 'invalid_options',
        message: expect.stringContaining('requestOptions.lateMs to be'),
      }),
    );
  });
});

describe.each(SETTINGS.filter(([, , kept]) => kept))('the frames of a request with %s', (_what, options) => {
  it('are asked a last time at its end', async () => {
    const { memory, tracker, resume } = await ended(withLateMs(options), { path: '/silent/7' });
    resume(() => {
      tracker.emit('late');
    });
    expect(memory.events[0]?.context).toMatchObject({
      app: 'shop',
      user: { id: 'ada' },
      request: { path: '/silent/7', route: '/silent/:id', method: 'GET' },
    });
  });

  it('stay as they were then', async () => {
    let asked = 0;
    const request = withLateMs({
      ...options,
      user: (source: { user?: unknown }) => {
        asked++;
        return untyped<{ id?: string }>(source.user ?? {}).id;
      },
    });
    const { memory, tracker, source, resume } = await ended(request, { path: '/silent/7' });
    const askedAtEnd = asked;
    source.user = { id: 'bob' };
    Object.assign(source, { route: { path: '/changed' }, session: { id: 's1' } });
    for (let n = 0; n < 2; n++) {
      resume(() => {
        tracker.emit('late');
      });
    }
    expect(memory.events.map(({ context }) => context)).toMatchObject([
      { user: { id: 'ada' }, request: { route: '/silent/:id' } },
      { user: { id: 'ada' }, request: { route: '/silent/:id' } },
    ]);
    expect(memory.events[1]?.context).not.toHaveProperty('session');
    expect(asked).toBe(askedAtEnd);
    expect(askedAtEnd).toBeGreaterThan(0);
  });

  it('show no user who was not known at its end', async () => {
    const known: { user?: string } = {};
    const request = withLateMs({ ...options, user: () => known.user });
    const { memory, tracker, resume } = await ended(request, { path: '/silent/7' });
    known.user = 'bob';
    resume(() => {
      tracker.emit('late');
    });
    expect(memory.events[0]?.context).not.toHaveProperty('user');
  });
});

describe.each(ADAPTERS)('a request of Nest on %s', (adapter) => {
  const resumes: Resume[] = [];

  @Controller()
  class Jobs {
    @Get('jobs/:id')
    begin(): string {
      resumes.push(AsyncLocalStorage.snapshot());
      return 'ok';
    }
  }

  const start = async (request: TrackingRequestOptions, extras: { middleware?: boolean } = {}) => {
    resumes.length = 0;
    const clock = fakeClock();
    const app = await nestApp(adapter)
      .controllers(Jobs)
      .tracking({ clock, context: { app: 'shop' }, request: untyped(withLateMs(request)), ...extras })
      .start();
    const agent = new http.Agent({ keepAlive: true });
    const [response] = (await once(http.get(`${app.url}/jobs/7`, { agent }), 'response')) as [
      http.IncomingMessage,
    ];
    response.resume();
    await once(response, 'end');
    await turns(20);
    agent.destroy();
    return { ...app, clock, resume: resumes[0]! };
  };

  it.each([
    ['the middleware', {}],
    ['the interceptor alone', { middleware: false }],
  ])('retires: %s opened its scope', async (_what, extras) => {
    const { memory, clock, resume, app } = await start({ user: () => 'ada', keep: () => true }, extras);
    const tracker = app.get<TrackedApp['tracker']>(getTrackerToken());
    resume(() => {
      tracker.emit('late');
    });
    await memory.waitFor('late');
    expect(memory.events[0]?.context).toMatchObject({
      user: { id: 'ada' },
      request: { path: '/jobs/7', route: '/jobs/:id', status: 200 },
      handler: { kind: 'http', class: 'Jobs', method: 'begin' },
    });
    await clock.advance(LATE_MS);
    resume(() => {
      tracker.emit('tick');
    });
    expect(memory.events.at(-1)).toMatchObject({ name: 'tick' });
    expect(memory.events.at(-1)?.context).toStrictEqual({ app: 'shop' });
  });

  it('drops nothing any more once it is retired', async () => {
    const { memory, clock, resume, app } = await start({ keep: ({ status = 0 }) => status >= 400 });
    const tracker = app.get<TrackedApp['tracker']>(getTrackerToken());
    resume(() => {
      tracker.emit('late');
    });
    expect(tracker.stats().dropped).toStrictEqual({ outcome: 1 });
    await clock.advance(LATE_MS);
    resume(() => {
      tracker.emit('tick');
    });
    expect(memory.events.map(({ name }) => name)).toStrictEqual(['tick']);
    expect(tracker.stats().dropped).toStrictEqual({ outcome: 1 });
  });
});
