import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { ExecutionContext } from '@nestjs/common';
import { Controller, Get, HttpException, Post, Req, Res } from '@nestjs/common';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import express from 'express';
import type { TrackingRequestOptions } from 'nestjs-tracking';
import { createTracker } from 'nestjs-tracking/core';
import type { RequestOptions } from 'nestjs-tracking/express';
import { trackingMiddleware } from 'nestjs-tracking/express';
import { memoryBackend } from 'nestjs-tracking/testing';
import { Agent, request as fetchWith } from 'undici';
import type { HttpApp } from '../support/http-app.js';
import { listening, serve, turns } from '../support/http-app.js';
import { ADAPTERS, closeApps, nestApp } from '../support/nest-app.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
jest.setTimeout(60_000);

const REQUESTS = 12;

/** What of the requests is still there after everything unreachable is gone, by kind. */
class Remains {
  private readonly refs: (readonly [string, WeakRef<object>])[] = [];

  watch(things: Readonly<Record<string, object>>): void {
    for (const [kind, thing] of Object.entries(things)) {
      this.refs.push([kind, new WeakRef(thing)]);
    }
  }

  /** How many were watched. */
  get watched(): number {
    return this.refs.length;
  }

  async count(): Promise<Record<string, number>> {
    let alive: Record<string, number> = {};
    // The engine needs several turns for what led through finalizers and sockets.
    for (let round = 0; round < 40; round++) {
      await turns(2);
      collect();
      alive = {};
      for (const [kind, ref] of this.refs) {
        if (ref.deref() !== undefined) {
          alive[kind] = (alive[kind] ?? 0) + 1;
        }
      }
      if (Object.keys(alive).length === 0) {
        break;
      }
    }
    return alive;
  }
}

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) {
    await end();
  }
  await closeApps();
});

const never = new Promise<void>(() => undefined);
const bus = new EventEmitter().setMaxListeners(0);
const bound: unknown[] = [];

/** Things that a handler makes and that outlive it, with the context that they were made in. */
const OUTLIVING: Readonly<Record<string, () => unknown>> = {
  'a timer': () => {
    const timer = setInterval(() => undefined, 1_000_000).unref();
    ends.push(() => {
      clearInterval(timer);
    });
  },
  'a promise that never settles': () => {
    bound.push(never.then(() => undefined));
  },
  'a listener bound to its context': () => {
    bus.on(
      'tick',
      AsyncLocalStorage.bind(() => undefined),
    );
    ends.push(() => bus.removeAllListeners());
  },
  'a snapshot of its context': () => {
    bound.push(AsyncLocalStorage.snapshot());
  },
};

interface Scene extends HttpApp {
  readonly remains: Remains;
}

const SETTINGS: Readonly<Record<string, RequestOptions>> = {
  'nothing set': {},
  hold: { hold: true },
  'keep that keeps': { keep: () => true },
  'keep that drops': { keep: () => false },
  'the user and the session asked for': {
    user: ({ user }) => (user as { id: string } | undefined)?.id,
    session: ({ headers }) => headers?.['host'],
    enrich: ({ method }) => ({ verb: method }),
  },
  'everything at the end': {
    hold: true,
    awaitAccepted: 'required',
    flushAtEnd: 'delivered',
    onEnd: () => undefined,
    waitUntil: () => () => undefined,
  },
};

const body = { text: 'x'.repeat(100_000) };

/** An Express app whose handler makes something that outlives it. */
async function startScene(make: () => unknown, options: RequestOptions | undefined): Promise<Scene> {
  const remains = new Remains();
  const tracker = createTracker({ backends: { none: { send: () => undefined } } });
  const contexts = new AsyncLocalStorage<number>();
  const web = express();
  web.use(
    options === undefined
      ? (_request, _response, next) => {
          contexts.run(1, next);
        }
      : trackingMiddleware(tracker, options),
  );
  web.use(express.json({ limit: '1mb' }));
  web.post('/', (request, response) => {
    const user = { id: 'ada' };
    Object.assign(request, { user });
    tracker.emit('seen', { n: 1 });
    remains.watch({ request, response, user, body: request.body as object });
    make();
    tracker.context('job', { job: 1 }, make);
    response.send('ok');
  });
  web.post('/hang', (request, response) => {
    tracker.emit('seen', { n: 1 });
    remains.watch({ request, response });
    make();
  });
  const app = await listening(http.createServer(web));
  ends.push(() => app.close());
  return { ...app, remains };
}

/** Every setting with a timer, and everything that outlives a request with two of the settings. */
const SCENES: readonly (readonly [what: string, setting: string])[] = [
  ...Object.keys(SETTINGS).map((setting) => ['a timer', setting] as const),
  ...Object.keys(OUTLIVING)
    .slice(1)
    .flatMap((what) => [[what, 'nothing set'] as const, [what, 'everything at the end'] as const]),
];

describe('what outlives a request', () => {
  it.each(Object.keys(OUTLIVING))('keeps nothing of it where nobody tracks: %s', async (what) => {
    const { send, remains } = await startScene(OUTLIVING[what]!, undefined);
    for (let n = 0; n < REQUESTS; n++) {
      await send('/', { body });
    }
    expect(remains.watched).toBe(4 * REQUESTS);
    expect(await remains.count()).toStrictEqual({});
  });

  it.each(SCENES)('keeps no request, response, body or user: %s, %s', async (what, setting) => {
    const { send, remains } = await startScene(OUTLIVING[what]!, SETTINGS[setting]);
    for (let n = 0; n < REQUESTS; n++) {
      await send('/', { body });
    }
    expect(remains.watched).toBe(4 * REQUESTS);
    expect(await remains.count()).toStrictEqual({});
  });

  it.each(SCENES)('keeps nothing of one whose client went away: %s, %s', async (what, setting) => {
    const { port, remains } = await startScene(OUTLIVING[what]!, SETTINGS[setting]);
    for (let n = 1; n <= REQUESTS; n++) {
      const request = http.request({ port, host: '127.0.0.1', path: '/hang', method: 'POST' });
      request.on('error', () => undefined);
      request.end();
      while (remains.watched < 2 * n) {
        await turns();
      }
      request.destroy();
    }
    expect(await remains.count()).toStrictEqual({});
  });
});

describe('requests on kept connections', () => {
  it('are let go while their connections stay', async () => {
    const { send, remains } = await startScene(OUTLIVING['a timer']!, { hold: true });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 2 });
    ends.push(() => {
      agent.destroy();
    });
    for (let n = 0; n < REQUESTS; n++) {
      await send('/', { body, agent });
    }
    const { request = 0, response = 0, body: bodies = 0 } = await remains.count();
    // Node's parser may keep the last one of a connection.
    expect(Math.max(request, response, bodies)).toBeLessThanOrEqual(2);
  });

  it('that are made to other servers keep nothing of the request that made them', async () => {
    const upstream = await serve((_request, response) => {
      response.end('ok');
    });
    const remains = new Remains();
    const dispatcher = new Agent({ keepAliveTimeout: 60_000, connections: REQUESTS });
    ends.push(
      () => upstream.close(),
      () => dispatcher.destroy(),
    );
    const tracker = createTracker({ backends: { none: { send: () => undefined } } });
    const web = express();
    web.use(trackingMiddleware(tracker));
    web.use(express.json({ limit: '1mb' }));
    web.post('/', async (request, response) => {
      remains.watch({ request, body: request.body as object });
      const answer = await fetchWith(upstream.url, { dispatcher });
      await answer.body.text();
      tracker.emit('seen');
      response.send('ok');
    });
    const app = await listening(http.createServer(web));
    ends.push(() => app.close());
    await Promise.all(Array.from({ length: REQUESTS }, () => app.send('/', { body })));
    expect(await remains.count()).toStrictEqual({});
  });
});

describe.each(ADAPTERS)('a request of Nest on %s', (adapter) => {
  const settings: Readonly<Record<string, TrackingRequestOptions>> = {
    'nothing set': {},
    'hold, keep and onEnd': { hold: true, keep: () => true, onEnd: () => undefined },
  };

  it.each(Object.keys(settings))('is let go with its error and its execution: %s', async (name) => {
    const remains = new Remains();

    @Controller()
    class Work {
      @Post('work')
      work(@Req() request: { body: object }, @Res({ passthrough: true }) response: object): string {
        remains.watch({ request, response, body: request.body });
        OUTLIVING['a timer']!();
        return 'ok';
      }

      @Get('fail')
      fail(@Req() request: object): never {
        const error = new HttpException({ rows: ['x'.repeat(100_000)] }, 409);
        remains.watch({ request, error });
        OUTLIVING['a timer']!();
        throw error;
      }
    }
    const seen = new WeakSet<object>();
    const user = (source: object, execution?: ExecutionContext): string => {
      if (execution !== undefined && !seen.has(execution)) {
        seen.add(execution);
        remains.watch({ execution, source });
      }
      return 'ada';
    };
    const { app, url } = await nestApp(adapter)
      .controllers(Work)
      .tracking({ backends: { memory: memoryBackend() }, request: { user, ...settings[name] } })
      .start();
    for (let n = 0; n < REQUESTS; n++) {
      for (const [path, method] of [
        ['/work', 'POST'],
        ['/fail', 'GET'],
      ] as const) {
        const request = http.request(`${url}${path}`, {
          method,
          agent: new http.Agent(),
          headers: { 'content-type': 'application/json' },
        });
        request.end(method === 'POST' ? JSON.stringify(body) : undefined);
        const [response] = (await once(request, 'response')) as [http.IncomingMessage];
        response.resume();
        await once(response, 'end');
      }
    }
    expect(remains.watched).toBeGreaterThanOrEqual(5 * REQUESTS);
    const alive = await remains.count();
    // The last ones may stay with Node's parser, or on the stack.
    expect(Math.max(0, ...Object.values(alive))).toBeLessThanOrEqual(1);
    await app.close();
  });
});
