import { once } from 'node:events';
import http from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { ErrorRequestHandler } from 'express';
import express from 'express';
import { createTracker } from 'nestjs-tracking/core';
import { trackingMiddleware } from 'nestjs-tracking/express';
import { memoryBackend } from 'nestjs-tracking/testing';
import { closeApps, startExpress, startNode } from '../support/express-app.js';
import { until } from '../support/http-app.js';
import type { AnyTracker } from '../support/recording.js';
import { untyped } from '../support/recording.js';
import { sessionIdOf } from '../support/session-id.js';

afterEach(closeApps);

interface SignedIn {
  user?: unknown;
  session?: unknown;
}

const UUID_V7 = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

describe('an event of a bare Express app', () => {
  it('carries its request', async () => {
    const app = await startExpress((web, tracker) => {
      web.get('/orders/:id', (request, response) => {
        tracker.emit('order.seen', { id: request.params.id });
        response.send('ok');
      });
    });
    await app.send('/orders/7?token=secret', {
      headers: {
        'user-agent': 'curl/8',
        referer: 'http://shop.example/cart?code=secret',
        'x-forwarded-for': '1.2.3.4',
      },
    });
    expect(app.memory.events).toMatchObject([{ name: 'order.seen', data: { id: '7' } }]);
    expect(app.memory.events[0]?.context).toStrictEqual({
      request: {
        id: expect.stringMatching(UUID_V7),
        method: 'GET',
        path: '/orders/7',
        route: '/orders/:id',
        host: `127.0.0.1:${app.port}`,
        userAgent: 'curl/8',
        referer: 'http://shop.example/cart',
      },
    });
  });

  it('tells its address as the proxy settings of the app have it', async () => {
    const app = await startExpress(
      (web, tracker) => {
        web.set('trust proxy', 'loopback');
        web.get('/', (_request, response) => {
          tracker.emit('seen');
          response.send();
        });
      },
      { request: { ip: true } },
    );
    await app.send('/', { headers: { 'x-forwarded-for': '203.0.113.9' } });
    expect(app.memory.events[0]?.context['request']).toMatchObject({
      ip: '203.0.113.9',
    });
  });

  it('carries the user and the session as soon as they are known', async () => {
    const app = await startExpress((web, tracker) => {
      web.use((request, _response, next) => {
        tracker.emit('arrived');
        Object.assign(request as SignedIn, {
          user: { id: 'ann', email: 'ann@example.com' },
          session: { id: 's1', cart: [] },
        });
        next();
      });
      web.get('/', (_request, response) => {
        tracker.emit('seen');
        response.send();
      });
    });
    await app.send('/');
    const [arrived, seen] = app.memory.events;
    expect(arrived?.context).not.toHaveProperty('user');
    expect(seen?.context).toMatchObject({
      user: { id: 'ann' },
      session: { id: sessionIdOf('s1') },
      request: { id: (arrived?.context['request'] as { id: string }).id },
    });
    expect(seen?.context['user']).toStrictEqual({ id: 'ann' });
  });

  it('names the matched route with the prefixes of its routers', async () => {
    const app = await startExpress((web, tracker) => {
      const inner = express.Router();
      const outer = express.Router();
      inner.use((_request, _response, next) => {
        tracker.emit('on the way');
        next();
      });
      inner.get('/:item', (_request, response) => {
        tracker.emit('seen');
        response.send();
      });
      outer.use('/items', inner);
      web.use('/api/v1', outer);
    });
    await app.send('/api/v1/items/7?x=1');
    expect(app.memory.events.map(({ context }) => context['request'])).toEqual([
      expect.not.objectContaining({ route: expect.anything() }),
      expect.objectContaining({
        route: '/api/v1/items/:item',
        path: '/api/v1/items/7',
      }),
    ]);
  });

  it('names the route that it was emitted in when several match', async () => {
    const app = await startExpress((web, tracker) => {
      web.all('/{*any}', (_request, _response, next) => {
        tracker.emit('checked');
        next();
      });
      web.get('/orders/:id', (_request, response) => {
        tracker.emit('seen');
        response.send();
      });
    });
    await app.send('/orders/7');
    expect(app.memory.events.map(({ context }) => context['request'])).toMatchObject([
      { route: '/{*any}' },
      { route: '/orders/:id' },
    ]);
  });

  it('keeps its context over body parsers, timers, promises and streams', async () => {
    const app = await startExpress((web, tracker) => {
      web.use(express.json());
      web.use(express.urlencoded());
      web.post('/', async (request, response) => {
        tracker.enterContext('order', { order: request.body as object });
        await delay(1);
        tracker.emit('after a timer');
        await new Promise((resolve) => setImmediate(resolve));
        for await (const chunk of Readable.from(['a'])) {
          tracker.emit('in a stream', { chunk: String(chunk) });
        }
        process.nextTick(() => {
          tracker.emit('next tick');
          response.send();
        });
      });
    });
    await app.send('/', { body: { total: 7 } });
    expect(app.memory.events.map(({ name }) => name)).toStrictEqual([
      'after a timer',
      'in a stream',
      'next tick',
    ]);
    for (const { context } of app.memory.events) {
      expect(context).toMatchObject({
        order: { total: 7 },
        request: { method: 'POST', path: '/' },
      });
    }
  });

  it('is seen in error handlers and for what no route matches', async () => {
    const app = await startExpress((web, tracker) => {
      web.set('env', 'test');
      web.get('/sync', () => {
        throw new Error('sync');
      });
      web.get('/async', async () => {
        await delay(1);
        throw new Error('async');
      });
      web.use((_request, response) => {
        tracker.emit('missing');
        response.status(404).send();
      });
      const handle: ErrorRequestHandler = (error, _request, response, next) => {
        tracker.emit('failed', { message: (error as Error).message });
        response.status(500);
        next(error);
      };
      web.use(handle);
    });
    await app.send('/sync');
    await app.send('/async');
    await app.send('/nowhere');
    expect(app.memory.events).toMatchObject([
      {
        name: 'failed',
        data: { message: 'sync' },
        context: { request: { route: '/sync' } },
      },
      {
        name: 'failed',
        data: { message: 'async' },
        context: { request: { route: '/async' } },
      },
      { name: 'missing', context: { request: { path: '/nowhere' } } },
    ]);
  });

  it('belongs to its own request among hundreds at once, on kept connections too', async () => {
    const app = await startExpress((web, tracker) => {
      web.use(express.json());
      web.use((request, _response, next) => {
        (request as SignedIn).user = { id: request.headers['x-user'] };
        next();
      });
      web.post('/orders/:id', async (request, response) => {
        tracker.enterContext('order', { order: request.params.id });
        await delay(Math.random() * 10);
        tracker.emit('order.created', { user: request.headers['x-user'] });
        await delay(Math.random() * 5);
        tracker.context('line', { line: 1 }, () => {
          tracker.emit('order.line', { user: request.headers['x-user'] });
        });
        response.json(tracker.resolveContext());
      });
    });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });
    const answers = await Promise.all(
      Array.from({ length: 300 }, async (_, i) => {
        const { body } = await app.send(`/orders/${i}`, {
          agent,
          headers: { 'x-user': `u${i}` },
          body: { i },
        });
        return JSON.parse(body) as { order: string; user: { id: string } };
      }),
    );
    agent.destroy();
    expect(answers).toStrictEqual(
      answers.map((_, i) => expect.objectContaining({ order: String(i), user: { id: `u${i}` } })),
    );
    expect(app.memory.events).toHaveLength(600);
    const ids = new Set<string>();
    for (const { data, context } of app.memory.events) {
      const { request, user, order } = untyped<{
        request: { id: string; path: string };
        user: { id: string };
        order: string;
      }>(context);
      expect(user.id).toBe(data['user']);
      expect(`u${order}`).toBe(user.id);
      expect(request.path).toBe(`/orders/${order}`);
      ids.add(request.id);
    }
    expect(ids.size).toBe(300);
    expect(app.reports).toStrictEqual([]);
  });

  it('starts from an empty root, whatever was active when the server began to listen', async () => {
    const tracker = createTracker({
      backends: { memory: memoryBackend() },
      context: { app: 'shop' },
    });
    const contexts: unknown[] = [];
    const web = express();
    web.use(trackingMiddleware(tracker));
    web.get('/', (_request, response) => {
      contexts.push(tracker.resolveContext());
      response.send();
    });
    const server = tracker.context('boot', { boot: 1 }, () => web.listen(0));
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    await fetch(`http://127.0.0.1:${port}/`);
    server.closeAllConnections();
    server.close();
    await tracker.close();
    expect(contexts).toStrictEqual([{ app: 'shop', request: expect.objectContaining({ path: '/' }) }]);
  });

  it('never gets what was entered outside of any request', async () => {
    const app = await startExpress((web, tracker) => {
      web.get('/', (_request, response) => {
        tracker.emit('seen');
        response.send();
      });
    });
    app.tracker.enterContext('before', { build: 7 });
    await app.send('/');
    app.tracker.enterContext('after', { user: 'everybody' });
    await app.send('/');
    expect(app.memory.events.map(({ context }) => context['build'])).toEqual([7, 7]);
    expect(app.memory.events[1]?.context).not.toHaveProperty('user');
    expect(app.reports).toMatchObject([{ code: 'context_outside_scope' }]);
  });

  it('is emitted while the answer streams and after it', async () => {
    const app = await startExpress((web, tracker) => {
      web.get('/', async (_request, response) => {
        for (let i = 0; i < 3; i++) {
          response.write(`${i}`);
          tracker.emit('chunk', { i });
          await delay(1);
        }
        response.end();
        await delay(1);
        tracker.emit('afterwards');
      });
    });
    const { body } = await app.send('/');
    await app.memory.waitFor('afterwards');
    expect(body).toBe('012');
    expect(app.memory.events).toHaveLength(4);
    expect(
      new Set(app.memory.events.map(({ context }) => (context['request'] as { id: string }).id)).size,
    ).toBe(1);
  });

  it('is emitted after its client went away', async () => {
    const app = await startExpress((web, tracker) => {
      web.get('/', async (_request, response) => {
        response.write('begun');
        tracker.emit('begun');
        await once(response, 'close');
        tracker.emit('gone');
      });
    });
    const socket = await app.abort('/');
    await app.memory.waitFor('begun');
    socket.destroy();
    const [gone] = await app.memory.waitFor('gone');
    expect(gone?.context).toMatchObject({ request: { path: '/' } });
  });
});

describe('trackingMiddleware', () => {
  it('serves two trackers of one app: the first one enriches', async () => {
    const second = memoryBackend();
    const other = createTracker({ backends: { second } });
    const app = await startExpress((web, tracker) => {
      web.use((_request, _response, next) => {
        tracker.context('tenant', { tenant: 'a' }, next);
      });
      web.use(trackingMiddleware(other, { user: () => 'nobody' }));
      web.get('/', (_request, response) => {
        tracker.emit('seen');
        other.emit('seen');
        response.send();
      });
    });
    await app.send('/');
    await other.close();
    const [event] = second.events;
    expect(event?.context).toStrictEqual(app.memory.events[0]?.context);
    expect(event?.context).toMatchObject({
      tenant: 'a',
      request: { path: '/', route: '/' },
    });
    expect(event?.context).not.toHaveProperty('user');
  });

  it('reports a response that had waited and could not be written', async () => {
    const app = await startNode(
      (_request, response, tracker) => {
        tracker.emit('seen');
        response.setHeader('trailer', 'x-sum');
        response.setHeader('content-length', 2);
        response.end('no');
      },
      {
        request: { awaitAccepted: true },
        tracker: { backends: { slow: { send: () => delay(1) } } },
      },
    );
    await expect(app.send('/')).rejects.toMatchObject({ code: 'ECONNRESET' });
    await until(() => app.reports.length > 0);
    expect(app.reports).toMatchObject([
      {
        code: 'callback_failed',
        path: 'request.awaitAccepted',
        error: { code: 'ERR_HTTP_TRAILER_INVALID' },
      },
    ]);
  });

  it('passes on what the routes throw', async () => {
    const app = await startNode((_request, response) => {
      response.end('never called twice');
    });
    const middleware = trackingMiddleware(app.tracker);
    const error = new Error('of the route');
    let calls = 0;
    const next = (): never => {
      calls++;
      throw error;
    };
    const request = untyped<http.IncomingMessage>({ headers: {} });
    const response = new http.ServerResponse(request);
    expect(() => {
      middleware(request, response, next);
    }).toThrow(error);
    expect(calls).toBe(1);
  });

  it.each<[unknown, unknown, string]>([
    [undefined, {}, 'expected trackingMiddleware to be given a tracker'],
    [{ emit: () => 1 }, {}, 'expected trackingMiddleware to be given a tracker'],
    [undefined, { hold: 'x', kep: 1 }, 'requestOptions.kep is not an option'],
  ])('refuses %p with %p', (tracker, options, message) => {
    expect(() => trackingMiddleware(untyped<AnyTracker>(tracker), untyped(options))).toThrow(
      expect.objectContaining({
        code: 'invalid_options',
        message: expect.stringContaining(message),
      }),
    );
  });
});

describe('a plain server of Node', () => {
  it('has its requests, users and sessions in its events', async () => {
    const app = await startNode(
      async (request, response, tracker) => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) {
          chunks.push(chunk as Buffer);
        }
        tracker.emit('received', { bytes: Buffer.concat(chunks).length });
        response.end();
      },
      {
        request: {
          requestId: ({ headers }) => String(headers?.['x-request-id']),
          user: ({ headers }) => String(headers?.['x-user']),
          session: () => ({ id: 's1', device: 'phone' }),
          enrich: ({ headers }) => ({ tenant: headers?.['x-tenant'] }),
          ip: true,
        },
      },
    );
    await app.send('/a/b?c=d', {
      headers: { 'x-request-id': 'r1', 'x-user': 'ann', 'x-tenant': 't1' },
      body: 'hello',
    });
    expect(app.memory.events).toMatchObject([{ data: { bytes: 5 } }]);
    expect(app.memory.events[0]?.context).toStrictEqual({
      request: {
        id: 'r1',
        method: 'POST',
        path: '/a/b',
        host: `127.0.0.1:${app.port}`,
        ip: '127.0.0.1',
        tenant: 't1',
      },
      user: { id: 'ann' },
      session: { id: 's1', device: 'phone' },
    });
  });

  it('serves pipelined requests apart from each other', async () => {
    const app = await startNode(async (request, response, tracker) => {
      await delay(request.url === '/1' ? 10 : 1);
      tracker.emit('seen', { url: request.url });
      response.end(request.url);
    });
    const raw = await app.raw([
      'GET /1 HTTP/1.1',
      'Host: a',
      '',
      'GET /2 HTTP/1.1',
      'Host: a',
      'Connection: close',
    ]);
    expect(raw).toContain('/1');
    await until(() => app.memory.events.length === 2);
    for (const { data, context } of app.memory.events) {
      expect(context['request']).toMatchObject({ path: data['url'] });
    }
  });
});
