import type { INestApplication } from '@nestjs/common';
import { Catch, Controller, Get, Header, HttpException, Module, VersioningType } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import type { ApolloDriverConfig } from '@nestjs/apollo';
import { ApolloDriver } from '@nestjs/apollo';
import { GraphQLModule, Int, Query, Resolver, Subscription } from '@nestjs/graphql';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Express, Response } from 'express';
import type { FastifyInstance } from 'fastify';
import { createClient } from 'graphql-ws';
import type { Observable } from 'rxjs';
import { throwError } from 'rxjs';
import { WebSocket } from 'ws';
import type { RequestSummary, Tracker, TrackingRequestOptions } from 'nestjs-tracking';
import { getTrackerToken, InjectTracker, Track, TrackingModule } from 'nestjs-tracking';
import { memoryBackend } from 'nestjs-tracking/testing';
import { until } from '../support/http-app.js';
import type { AdapterName } from '../support/nest-app.js';
import { ADAPTERS, closeApps, nestApp } from '../support/nest-app.js';
import { untyped } from '../support/recording.js';
import { listen } from '../support/transports.js';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  await closeApps();
  for (const end of ends.splice(0).reverse()) {
    await end();
  }
});

/** What tracing packages do to a method: they put a function of their own in its place. */
function Traced(): MethodDecorator {
  return (_target, _key, descriptor: PropertyDescriptor) => {
    const original = descriptor.value as (...args: unknown[]) => unknown;
    const wrapper = function (this: unknown, ...args: unknown[]): unknown {
      return original.apply(this, args);
    };
    for (const key of Reflect.getMetadataKeys(original) as unknown[]) {
      Reflect.defineMetadata(key, Reflect.getMetadata(key, original), wrapper);
    }
    descriptor.value = wrapper;
  };
}

@Controller('things')
class Things {
  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  @Get('plain/:id')
  plain(): string {
    this.tracker.emit('seen');
    return 'ok';
  }

  @Get('async/:id')
  async later(): Promise<string> {
    await Promise.resolve();
    this.tracker.emit('seen');
    return 'ok';
  }

  @Traced()
  @Get('traced/:id')
  traced(): string {
    this.tracker.emit('seen');
    return 'ok';
  }
}

interface Layer {
  handle: (...args: never[]) => unknown;
  readonly route?: { readonly stack: Layer[] };
}

/** What some do to Express's routes: the handlers on them are replaced, or the layers' own. */
function wrapLayers({ router }: { router: { stack: Layer[] } }): void {
  for (const { route } of router.stack) {
    for (const layer of route?.stack ?? []) {
      const { handle } = layer;
      layer.handle = function (this: unknown, request: never, response: never, next: never): unknown {
        return handle.call(this, request, response, next);
      };
    }
  }
}

/** Ways in which an app's routes are instrumented. */
const INSTRUMENTS: readonly [string, readonly AdapterName[], (app: INestApplication) => unknown][] = [
  ['nobody', ADAPTERS, () => undefined],
  [
    "an adapter's hook for triggered routes",
    ADAPTERS,
    (app) => {
      untyped<{ setOnRouteTriggered(hook: () => void): void }>(app.getHttpAdapter()).setOnRouteTriggered(
        () => undefined,
      );
    },
  ],
  [
    'handlers of layers that are replaced',
    ['express'],
    async (app) => {
      await app.init();
      wrapLayers(untyped(app.getHttpAdapter().getInstance()));
    },
  ],
  [
    'handlers of routes that are replaced when they are added',
    ['express'],
    (app) => {
      const web = untyped<Express>(app.getHttpAdapter().getInstance());
      const get = web.get.bind(web) as (...args: unknown[]) => unknown;
      Object.assign(web, {
        get: (path: string, ...handlers: ((...args: unknown[]) => unknown)[]) =>
          get(
            path,
            ...handlers.map(
              (handler) =>
                (...args: unknown[]) =>
                  handler(...args),
            ),
          ),
      });
    },
  ],
  [
    'handlers of routes that are replaced in a hook',
    ['fastify'],
    (app) => {
      const web = untyped<FastifyInstance>(app.getHttpAdapter().getInstance());
      web.addHook('onRoute', (route) => {
        const { handler } = route;
        route.handler = function (request, reply) {
          return handler.call(this, request, reply);
        };
      });
    },
  ],
];

describe.each(INSTRUMENTS)('the handler of a route, instrumented by %s,', (_how, adapters, instrument) => {
  it.each(adapters)('is known on %s, and the execution is handed to user', async (adapter) => {
    const executions: unknown[] = [];
    const app = await nestApp(adapter)
      .controllers(Things)
      .with(instrument)
      .tracking({
        request: {
          user: (_source, execution) => {
            executions.push(execution?.getClass());
            return undefined;
          },
        },
      })
      .start();
    for (const path of ['plain', 'async', 'traced', 'plain']) {
      expect(await app.visit(`/things/${path}/7`)).toBe(200);
    }
    expect(app.memory.events.map(({ context }) => context['handler'])).toStrictEqual(
      ['plain', 'later', 'traced', 'plain'].map((method) => ({ kind: 'http', class: 'Things', method })),
    );
    expect(
      app.memory.events.map(({ context }) => (context['request'] as { route: string }).route),
    ).toStrictEqual(['plain', 'async', 'traced', 'plain'].map((path) => `/things/${path}/:id`));
    expect(executions.at(-1)).toBe(Things);
    expect(app.reports).toStrictEqual([]);
  });
});

describe('a handler that declined', () => {
  @Controller({ path: 'things', version: '1' })
  class Versioned {
    constructor(@InjectTracker() private readonly tracker: Tracker) {}

    @Get(':id')
    versioned(): string {
      this.tracker.emit('seen by Nest');
      return 'ok';
    }
  }

  it('is not taken for that of a plain route of Express behind it', async () => {
    const app = await nestApp('express')
      .controllers(Versioned)
      .with(async (nest) => {
        nest.enableVersioning({ type: VersioningType.HEADER, header: 'x-version' });
        await nest.init();
        const tracker = nest.get<Tracker>(getTrackerToken());
        const web = untyped<Express>(nest.getHttpAdapter().getInstance());
        web.get('/things/:any', (_request, response) => {
          tracker.emit('seen by Express');
          response.send('ok');
        });
        // Right behind Nest's own routes, before what answers where there is none.
        const { stack } = untyped<{ router: { stack: Layer[] } }>(web).router;
        const plain = stack.pop()!;
        stack.splice(stack.findLastIndex(({ route }) => route !== undefined) + 1, 0, plain);
      })
      .start();
    await app.visit('/things/1', { headers: { 'x-version': '1' } });
    await app.visit('/things/2', { headers: { 'x-version': '2' } });
    await app.visit('/things/3', { headers: { 'x-version': '1' } });
    const found = app.memory.events.map(({ name, context }) => [name, context['handler']]);
    const handler = { kind: 'http', class: 'Versioned', method: 'versioned' };
    expect(found).toStrictEqual([
      ['seen by Nest', handler],
      ['seen by Express', undefined],
      ['seen by Nest', handler],
    ]);
  });
});

class Rejected extends HttpException {
  constructor() {
    super('rejected', 409);
  }
}

/** Answers as if nothing had happened. */
@Catch(Rejected)
class Lenient {
  catch(
    _error: Rejected,
    host: { switchToHttp(): { getResponse(): Response & { code(n: number): Response } } },
  ): void {
    const response = host.switchToHttp().getResponse();
    response.status(200).send('never mind');
  }
}

@Controller()
class Failing {
  @Get('ok')
  ok(): string {
    return 'ok';
  }

  @Get('sync')
  sync(): never {
    throw new TypeError('sync');
  }

  @Get('async')
  async later(): Promise<never> {
    await Promise.resolve();
    throw new TypeError('async');
  }

  @Get('http')
  @Header('x-a', 'b')
  http(): never {
    throw new HttpException('teapot', 418);
  }

  @Get('stream')
  stream(): Observable<string> {
    return throwError(() => new TypeError('stream'));
  }

  @Get('lenient')
  lenient(): never {
    throw new Rejected();
  }

  @Get('tracked')
  @Track('failed', { on: 'failure' })
  tracked(): never {
    throw new TypeError('tracked');
  }
}

type Told = readonly [hasError: boolean, message: string | undefined, status: number | undefined];

const OUTCOMES: readonly [path: string, told: Told][] = [
  ['/sync', [true, 'sync', 500]],
  ['/ok', [false, undefined, 200]],
  ['/async', [true, 'async', 500]],
  ['/http', [true, 'teapot', 418]],
  ['/stream', [true, 'stream', 500]],
  ['/lenient', [true, 'rejected', 200]],
  ['/tracked', [true, 'tracked', 500]],
  ['/nowhere', [false, undefined, 404]],
  ['/ok', [false, undefined, 200]],
];

const told = (outcome: { error?: unknown; status?: number }): Told => [
  'error' in outcome,
  (outcome.error as Error | undefined)?.message,
  outcome.status,
];

describe.each(ADAPTERS)('the error in the outcome of a request on %s', (adapter) => {
  const SETTINGS: readonly [string, TrackingRequestOptions][] = [
    ['onEnd alone', {}],
    ['hold', { hold: true }],
    ['keep', { keep: () => true }],
    ['awaitAccepted', { awaitAccepted: true }],
  ];

  /** Starts an app as production does, or as tests do. */
  const start = async (how: 'NestFactory' | 'Test', request: TrackingRequestOptions) => {
    const summaries: RequestSummary[] = [];
    const all: TrackingRequestOptions = {
      ...request,
      onEnd: (summary) => {
        summaries.push(summary);
      },
    };
    const filter = { provide: APP_FILTER, useClass: Lenient };
    if (how === 'NestFactory') {
      const app = await nestApp(adapter)
        .controllers(Failing)
        .providers(filter)
        .tracking({ request: all })
        .start();
      return { url: app.url, summaries };
    }
    const module = await Test.createTestingModule({
      imports: [TrackingModule.forRoot({ backends: { memory: memoryBackend() }, request: all })],
      controllers: [Failing],
      providers: [filter],
    }).compile();
    const app = module.createNestApplication(
      adapter === 'express' ? new ExpressAdapter() : new FastifyAdapter(),
      { logger: false },
    );
    await app.listen(0, '127.0.0.1');
    ends.push(() => app.close());
    return { url: await app.getUrl(), summaries };
  };

  it.each(
    SETTINGS.flatMap(([what, request]) =>
      (['NestFactory', 'Test'] as const).map((how) => [what, how, request] as const),
    ),
  )('is told to onEnd, with %s, in an app made by %s', async (_what, how, request) => {
    const { url, summaries } = await start(how, request);
    for (const [path] of OUTCOMES) {
      const before = summaries.length;
      await (await fetch(`${url}${path}`)).text();
      await until(() => summaries.length > before);
    }
    expect(summaries.map(told)).toStrictEqual(OUTCOMES.map(([, expected]) => expected));
  });

  it.each(['NestFactory', 'Test'] as const)('is told to keep in an app made by %s', async (how) => {
    const asked: Told[] = [];
    const { url, summaries } = await start(how, {
      keep: (outcome) => {
        asked.push(told(outcome));
        return true;
      },
    });
    for (const [path] of OUTCOMES) {
      const before = summaries.length;
      await (await fetch(`${url}${path}`)).text();
      await until(() => summaries.length > before);
    }
    expect(asked).toStrictEqual(OUTCOMES.map(([, expected]) => expected));
  });
});

@Resolver()
class Greetings {
  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  @Query(() => Int)
  hello(): number {
    this.tracker.emit('queried');
    return 1;
  }

  @Subscription(() => Int, { resolve: (n: number) => n })
  async *ticks(): AsyncGenerator<number> {
    for (let n = 0; n < 2; n++) {
      this.tracker.emit('ticked');
      yield await Promise.resolve(n);
    }
  }
}

/** Gives a class another name, as a build does that keeps none. */
function renamed(type: object, name: string): void {
  const before = Object.getOwnPropertyDescriptor(type, 'name')!;
  Object.defineProperty(type, 'name', { value: name, configurable: true });
  ends.push(() => Object.defineProperty(type, 'name', before));
}

describe('GraphQL whose module', () => {
  it.each<[string, () => void, boolean]>([
    ['has its own name', () => undefined, false],
    [
      'was renamed by a minifier',
      () => {
        renamed(GraphQLModule, 'a');
      },
      false,
    ],
    [
      'was renamed with everything of its package',
      () => {
        renamed(GraphQLModule, 'a');
        renamed(ApolloDriver, 'b');
      },
      false,
    ],
    ['is a subclass', () => undefined, true],
  ])('%s gives queries and subscriptions their frames', async (_what, prepare, subclass) => {
    prepare();
    class Api extends GraphQLModule {}
    const memory = memoryBackend();
    const graphql = GraphQLModule.forRoot<ApolloDriverConfig>({
      driver: ApolloDriver,
      autoSchemaFile: true,
      graphiql: false,
      subscriptions: { 'graphql-ws': true },
    });

    @Module({
      imports: [
        TrackingModule.forRoot({ backends: { memory }, context: { app: 'x' } }),
        subclass ? { ...graphql, module: Api } : graphql,
      ],
      providers: [Greetings],
    })
    class ApiModule {}

    const running = await listen(ApiModule, 'express');
    ends.push(() => running.close());
    const response = await fetch(`${running.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ hello }' }),
    });
    expect(await response.json()).toStrictEqual({ data: { hello: 1 } });
    const client = createClient({
      url: `ws://127.0.0.1:${running.port}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    });
    await new Promise<void>((resolve, reject) => {
      client.subscribe(
        { query: 'subscription { ticks }' },
        { next: () => undefined, error: reject, complete: resolve },
      );
    });
    await client.dispose();
    await memory.waitFor('ticked', 2);
    const frames = memory.events.map(({ name, context }) => [
      name,
      Object.keys(context).sort(),
      context['handler'],
    ]);
    const handler = (method: string): object => ({ kind: 'graphql', class: 'Greetings', method });
    expect(frames).toStrictEqual([
      ['queried', ['app', 'handler', 'request'], handler('hello')],
      ['ticked', ['app', 'handler'], handler('ticks')],
      ['ticked', ['app', 'handler'], handler('ticks')],
    ]);
  });
});
