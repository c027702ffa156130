import { setTimeout as delay } from 'node:timers/promises';
import { AsyncLocalStorage } from 'node:async_hooks';
import http from 'node:http';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import { Catch, Controller, Get, Module } from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { ErrorRequestHandler, Express, RequestHandler, Router } from 'express';
import express from 'express';
import type { Tracker } from 'nestjs-tracking';
import { InjectTracker } from 'nestjs-tracking';
import type { RequestOptions, RequestSummary } from 'nestjs-tracking/express';
import type { TrackedApp } from '../support/express-app.js';
import { closeApps, startExpress } from '../support/express-app.js';
import { turns, until } from '../support/http-app.js';
import { ADAPTERS, closeApps as closeNestApps, nestApp } from '../support/nest-app.js';
import type { AnyTracker } from '../support/recording.js';

afterEach(async () => {
  await closeApps();
  await closeNestApps();
});

/** A handler that fails, in each of the ways that Express knows. */
const FAILURES: readonly [string, RequestHandler][] = [
  [
    'throws',
    () => {
      throw new Error('failed');
    },
  ],
  [
    'rejects',
    async () => {
      await delay(1);
      throw new Error('failed');
    },
  ],
  [
    'hands its error on',
    (_request, _response, next) => {
      next(new Error('failed'));
    },
  ],
  [
    'hands it on later',
    (_request, _response, next) => {
      setImmediate(() => {
        next(new Error('failed'));
      });
    },
  ],
];

const router = (add: (router: Router) => void): Router => {
  const made = express.Router({ mergeParams: true });
  add(made);
  return made;
};

/** Where a route may stand, how it is asked for, and what it is called. */
const PLACES: readonly [
  string,
  (web: Express, handler: RequestHandler) => void,
  url: string,
  route: string,
][] = [
  [
    'in the app',
    (web, handler) => {
      web.get('/users/:id', handler);
    },
    '/users/1',
    '/users/:id',
  ],
  [
    'in a router',
    (web, handler) => {
      web.use(
        '/api/users',
        router((users) => users.get('/:id', handler)),
      );
    },
    '/api/users/1',
    '/api/users/:id',
  ],
  [
    'in routers that lie in each other',
    (web, handler) => {
      const items = router((own) => own.get('/:item', handler));
      const orders = router((own) => own.use('/:order/items', items));
      web.use(
        '/api',
        router((own) => own.use('/orders', orders)),
      );
    },
    '/api/orders/7/items/9',
    '/api/orders/7/items/:item',
  ],
  [
    'in a router at the root of the app',
    (web, handler) => {
      web.use(router((own) => own.get('/plain/:id', handler)));
    },
    '/plain/1',
    '/plain/:id',
  ],
  [
    'at the root of a router',
    (web, handler) => {
      web.use(
        '/health',
        router((own) => own.get('/', handler)),
      );
    },
    '/health',
    '/health/',
  ],
  [
    'in an app in the app',
    (web, handler) => {
      const admin = express();
      admin.get('/users/:id', handler);
      web.use('/admin', admin);
    },
    '/admin/users/1',
    '/admin/users/:id',
  ],
  [
    'among several of one path',
    (web, handler) => {
      web.use(
        '/api',
        router((own) =>
          own
            .route('/things/:id')
            .post((_q, r) => r.send('no'))
            .get(handler),
        ),
      );
    },
    '/api/things/1',
    '/api/things/:id',
  ],
  [
    'behind a middleware of its router',
    (web, handler) => {
      const users = router((own) =>
        own
          .use((_request, _response, next) => {
            next();
          })
          .get('/:id', handler),
      );
      web.use('/slow', users);
    },
    '/slow/1',
    '/slow/:id',
  ],
  [
    'behind another handler of its route',
    (web, handler) => {
      const first: RequestHandler = (_request, _response, next) => {
        next();
      };
      web.use(
        '/two',
        router((own) => own.get('/:id', first, handler)),
      );
    },
    '/two/1',
    '/two/:id',
  ],
];

interface Routed extends TrackedApp {
  readonly summaries: RequestSummary[];
  /** What the events so far say of their route, by name. */
  routes(): readonly (readonly [name: string, route: unknown])[];
}

async function routed(
  build: (web: Express, tracker: AnyTracker) => void,
  request: RequestOptions = {},
): Promise<Routed> {
  const summaries: RequestSummary[] = [];
  const app = await startExpress(
    (web, tracker) => {
      web.set('env', 'test');
      build(web, tracker);
    },
    {
      request: {
        onEnd: (summary) => {
          summaries.push(summary);
        },
        ...request,
      },
    },
  );
  const routes = () =>
    app.memory.events.map(
      ({ name, context }) => [name, (context['request'] as { route?: unknown }).route] as const,
    );
  return { ...app, summaries, routes };
}

/** An error handler that emits. */
const failing =
  (tracker: AnyTracker, name = 'failed'): ErrorRequestHandler =>
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- Express counts its parameters
  (_error, _request, response, _next) => {
    tracker.emit(name);
    response.status(500).send('no');
  };

const routeOf = ({ context }: RequestSummary): unknown => (context['request'] as { route?: unknown }).route;

describe.each(PLACES)('a route %s', (_where, build, url, route) => {
  it.each(FAILURES)(
    'is the same in the error handler of the app, when its handler %s',
    async (_how, handler) => {
      const app = await routed((web, tracker) => {
        build(web, handler);
        web.use(failing(tracker));
      });
      for (let round = 1; round <= 2; round++) {
        expect((await app.send(url)).status).toBe(500);
        await until(() => app.summaries.length === round);
      }
      expect(app.routes()).toStrictEqual([
        ['failed', route],
        ['failed', route],
      ]);
      expect(app.summaries.map(routeOf)).toStrictEqual([route, route]);
    },
  );

  it('is the same where its handler emitted before it failed', async () => {
    const app = await routed((web, tracker) => {
      build(web, () => {
        tracker.emit('early');
        throw new Error('failed');
      });
      web.use(failing(tracker));
    });
    await app.send(url);
    expect(app.routes()).toStrictEqual([
      ['early', route],
      ['failed', route],
    ]);
  });

  it('is the same when it answers: in its handler, at the end, and late', async () => {
    let late = (): void => undefined;
    const app = await routed((web, tracker) => {
      build(web, (_request, response) => {
        late = AsyncLocalStorage.bind(() => {
          tracker.emit('late');
        });
        response.once('close', () => {
          tracker.emit('closed');
        });
        response.send('ok');
      });
    });
    await app.send(url);
    await until(() => app.summaries.length === 1);
    await app.memory.waitFor('closed');
    late();
    expect(app.routes()).toStrictEqual([
      ['closed', route],
      ['late', route],
    ]);
    expect(app.summaries.map(routeOf)).toStrictEqual([route]);
  });

  it.each([
    ['hold', { hold: true }],
    ['awaitAccepted', { awaitAccepted: true }],
    ['nothing that waits for the end', { onEnd: () => undefined }],
  ])('is the same with %s', async (_what, request) => {
    const app = await routed((web, tracker) => {
      build(web, () => {
        throw new Error('failed');
      });
      web.use(failing(tracker));
    }, request);
    await app.send(url);
    await app.memory.waitFor('failed');
    expect(app.routes()).toStrictEqual([['failed', route]]);
  });
});

describe('the route of a request', () => {
  it('is the same in the error handler of a router, and in the one above that', async () => {
    const app = await routed((web, tracker) => {
      const again: ErrorRequestHandler = (error, _request, _response, next) => {
        tracker.emit('seen by the router');
        next(error);
      };
      const users = router((own) => {
        own.get('/:id', () => {
          throw new Error('failed');
        });
        own.use(again);
      });
      web.use(
        '/api',
        router((own) => own.use('/users', users).use(again)),
      );
      web.use(failing(tracker));
    });
    await app.send('/api/users/1');
    expect(app.routes()).toStrictEqual([
      ['seen by the router', '/api/users/:id'],
      ['seen by the router', '/api/users/:id'],
      ['failed', '/api/users/:id'],
    ]);
  });

  it('tells routers of one pattern apart, also at the same time', async () => {
    const app = await routed((web, tracker) => {
      for (const name of ['users', 'orders', 'items']) {
        web.use(
          `/api/${name}`,
          router((own) =>
            own.get('/:id', async () => {
              await turns(Math.ceil(Math.random() * 3));
              throw new Error(name);
            }),
          ),
        );
      }
      web.use(failing(tracker));
    });
    const names = Array.from({ length: 60 }, (_, n) => ['users', 'orders', 'items'][n % 3]!);
    await Promise.all(names.map((name, n) => app.send(`/api/${name}/${n}`)));
    for (const { context } of app.memory.events) {
      const { path, route } = context['request'] as { path: string; route: string };
      expect(route).toBe(path.replace(/\d+$/, ':id'));
    }
    expect(app.memory.events).toHaveLength(60);
  });

  it('is that of the route in which something was emitted, when several match one after the other', async () => {
    const app = await routed((web, tracker) => {
      const step =
        (name: string): RequestHandler =>
        (_request, _response, next) => {
          tracker.emit(name);
          next();
        };
      web.use(
        '/api',
        router((own) => own.get('/:any', step('first'))),
      );
      web.use(
        '/api',
        router((own) =>
          own.use(
            '/users',
            router((inner) => inner.get('/', step('second'))),
          ),
        ),
      );
      web.get('/api/users', (_request, response) => {
        tracker.emit('third');
        response.send('ok');
      });
    });
    await app.send('/api/users');
    await until(() => app.summaries.length === 1);
    expect(app.routes()).toStrictEqual([
      ['first', '/api/:any'],
      ['second', '/api/users/'],
      ['third', '/api/users'],
    ]);
    expect(app.summaries.map(routeOf)).toStrictEqual(['/api/users']);
  });

  it('is none where none matched, also behind routers that were tried', async () => {
    const app = await routed((web, tracker) => {
      web.use(
        '/api',
        router((own) => own.get('/:id', (_request, response) => response.send('ok'))),
      );
      web.use((_request, response) => {
        tracker.emit('missing');
        response.status(404).send('no');
      });
    });
    await app.send('/api/a/b');
    await app.send('/other');
    expect(app.routes()).toStrictEqual([
      ['missing', undefined],
      ['missing', undefined],
    ]);
  });

  it('is none for what fails before any route', async () => {
    const app = await routed((web, tracker) => {
      web.use(
        '/api',
        router((own) => own.use(FAILURES[0]![1]).get('/:id', (_q, response) => response.send('ok'))),
      );
      web.use(failing(tracker));
    });
    await app.send('/api/1');
    expect(app.routes()).toStrictEqual([['failed', undefined]]);
  });

  it('is that of its own request on a kept connection', async () => {
    const app = await routed((web, tracker) => {
      web.use(
        '/api/users',
        router((own) => own.get('/:id', FAILURES[0]![1])),
      );
      web.get('/plain', (_request, response) => {
        tracker.emit('plain');
        response.send('ok');
      });
      web.use(failing(tracker));
    });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (const path of ['/api/users/1', '/plain', '/api/users/2', '/plain']) {
      await app.send(path, { agent });
    }
    agent.destroy();
    expect(app.routes()).toStrictEqual([
      ['failed', '/api/users/:id'],
      ['plain', '/plain'],
      ['failed', '/api/users/:id'],
      ['plain', '/plain'],
    ]);
  });
});

describe.each(ADAPTERS)('a route of Nest on %s', (adapter) => {
  @Controller('users')
  class Users {
    @Get(':id')
    find(): never {
      throw new Error('failed');
    }
  }

  @Catch()
  class Failing implements ExceptionFilter {
    constructor(@InjectTracker() private readonly tracker: Tracker) {}

    catch(_error: unknown, host: ArgumentsHost): void {
      this.tracker.emit('failed');
      const response = host
        .switchToHttp()
        .getResponse<{ status(code: number): { send(body: string): void } }>();
      response.status(500).send('no');
    }
  }

  it('is the same in an exception filter, with all its prefixes', async () => {
    @Module({ controllers: [Users] })
    class UsersModule {}
    const app = await nestApp(adapter)
      .imports(UsersModule, RouterModule.register([{ path: 'tenants/:tenant', module: UsersModule }]))
      .with((nest) => nest.setGlobalPrefix('api'))
      .providers({ provide: 'APP_FILTER', useClass: Failing })
      .start();
    expect(await app.visit('/api/tenants/7/users/1')).toBe(500);
    expect((await app.event('failed')).context['request']).toMatchObject({
      path: '/api/tenants/7/users/1',
      route: '/api/tenants/:tenant/users/:id',
    });
  });
});
