import type {
  ArgumentsHost,
  CallHandler,
  CanActivate,
  ExceptionFilter,
  ExecutionContext,
  MiddlewareConsumer,
  NestInterceptor,
  NestModule,
  PipeTransform,
} from '@nestjs/common';
import {
  Body,
  Catch,
  Controller,
  ForbiddenException,
  Get,
  HttpException,
  Module,
  Param,
  Post,
  Sse,
  StreamableFile,
  UseFilters,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { FastifyInstance } from 'fastify';
import { AsyncResource } from 'node:async_hooks';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import { concatMap, delay, Observable, of, tap } from 'rxjs';
import type { JsonObject, Tracker, TrackingExtras } from 'nestjs-tracking';
import { getTrackerToken, InjectTracker, TrackingModule } from 'nestjs-tracking';
import { memoryBackend } from 'nestjs-tracking/testing';
import type { AdapterName, RunningApp } from '../support/nest-app.js';
import { ADAPTERS, closeApps, nestApp } from '../support/nest-app.js';

const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, 1);
  });

/** The context of something else: that of the socket of a session store. */
const elsewhere = new AsyncResource('elsewhere');

type Step = (request: unknown, response: unknown, next: () => void) => void;

class Emitting {
  constructor(@InjectTracker() protected readonly tracker: Tracker) {}
}

class EmittingGuard extends Emitting implements CanActivate {
  async canActivate(execution: ExecutionContext): Promise<boolean> {
    this.tracker.emit('guard');
    await turn();
    const { url } = execution.switchToHttp().getRequest<{ url: string }>();
    if (url.includes('forbidden')) {
      this.tracker.emit('guard.refuses');
      throw new ForbiddenException();
    }
    return true;
  }
}

class EmittingPipe extends Emitting implements PipeTransform {
  transform(value: unknown): unknown {
    this.tracker.emit('pipe');
    return value;
  }
}

class EmittingInterceptor extends Emitting implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    this.tracker.emit('interceptor');
    return next.handle().pipe(
      tap(() => {
        this.tracker.emit('interceptor.after');
      }),
    );
  }
}

@Catch(HttpException)
class EmittingFilter extends Emitting implements ExceptionFilter {
  constructor(
    @InjectTracker() tracker: Tracker,
    private readonly host: HttpAdapterHost,
  ) {
    super(tracker);
  }

  catch(error: HttpException, host: ArgumentsHost): void {
    this.tracker.emit('filter');
    this.host.httpAdapter.reply(host.switchToHttp().getResponse(), 'filtered', error.getStatus());
  }
}

@Controller('things')
@UseGuards(EmittingGuard)
@UseInterceptors(EmittingInterceptor)
@UseFilters(EmittingFilter)
class Things extends Emitting {
  @Get('forbidden')
  forbidden(): void {
    this.tracker.emit('handler');
  }

  @Get('failing')
  failing(): void {
    throw new HttpException('no', 418);
  }

  @Get('file')
  file(): StreamableFile {
    const { tracker } = this;
    async function* chunks() {
      tracker.emit('stream');
      yield 'a';
      await turn();
      tracker.emit('stream.later');
      yield 'b';
    }
    return new StreamableFile(Readable.from(chunks()));
  }

  @Sse('events')
  events(): Observable<{ data: number }> {
    return of(1, 2).pipe(
      concatMap((n) => of(n).pipe(delay(1))),
      tap(() => {
        this.tracker.emit('sse');
      }),
      concatMap((data) => of({ data })),
    );
  }

  @Get(':id')
  async show(@Param('id', EmittingPipe) id: string): Promise<string> {
    this.tracker.emit('handler');
    await turn();
    this.tracker.emit('handler.later');
    setTimeout(() => {
      this.tracker.emit('timer');
    }, 1);
    return id;
  }

  @Post()
  async create(@Body() body: object): Promise<object> {
    await turn();
    this.tracker.emit('handler');
    return body;
  }
}

@Module({})
class WithMiddleware extends Emitting implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer
      .apply(async (_request: unknown, _response: unknown, next: () => void) => {
        this.tracker.emit('middleware');
        await turn();
        this.tracker.emit('middleware.later');
        next();
      })
      .forRoutes('*path');
  }
}

afterEach(closeApps);

const booted = (adapter: AdapterName, extras: TrackingExtras = {}) =>
  nestApp(adapter).tracking(extras).module(WithMiddleware).controllers(Things);

/** Which frames the events have, by name; an event with `request` must carry the right path. */
function framesOf({ memory }: Pick<RunningApp, 'memory'>, path: string) {
  return Object.fromEntries(
    memory.events.map(({ name, context }) => {
      const request = context['request'] as JsonObject | undefined;
      expect(request?.['path'] ?? path).toBe(path);
      return [name, Object.keys(context).sort().join(' ')];
    }),
  );
}

const requestOf = (event: { context: JsonObject }) => event.context['request'] as JsonObject;

describe.each(ADAPTERS)('the scope of a request on %s', (adapter) => {
  it('is seen by all that Nest runs for it, and by what it starts', async () => {
    const app = await booted(adapter).start();
    expect(await app.visit('/things/7?a=1')).toBe(200);
    await app.event('timer');
    expect(framesOf(app, '/things/7')).toStrictEqual({
      middleware: 'request',
      'middleware.later': 'request',
      guard: 'request',
      pipe: 'handler request',
      interceptor: 'handler request',
      handler: 'handler request',
      'handler.later': 'handler request',
      'interceptor.after': 'handler request',
      timer: 'handler request',
    });
    expect(new Set(app.memory.events.map((event) => requestOf(event)['id'])).size).toBe(1);
    expect(app.reports).toStrictEqual([]);
  });

  it('is there without any middleware of the app', async () => {
    const app = await nestApp(adapter).controllers(Things).start();
    await app.visit('/things/7');
    expect(framesOf(app, '/things/7')).toMatchObject({
      guard: 'request',
      handler: 'handler request',
    });
  });

  it.each([
    ['with middleware of the app', WithMiddleware],
    ['without', undefined],
  ])('survives the reading of a body, %s', async (_how, module) => {
    const builder = nestApp(adapter).controllers(Things);
    const app = await (module ? builder.module(module) : builder).start();
    // More than one chunk, so that it is read later than the head.
    const body = JSON.stringify({ text: 'x'.repeat(90_000) });
    expect(
      await app.visit('/things', {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      }),
    ).toBe(201);
    expect(framesOf(app, '/things')).toMatchObject({
      guard: 'request',
      handler: 'handler request',
    });
  });

  it('is seen by the filter of a guard that refuses', async () => {
    const app = await booted(adapter).start();
    expect(await app.visit('/things/forbidden')).toBe(403);
    expect(framesOf(app, '/things/forbidden')).toStrictEqual({
      middleware: 'request',
      'middleware.later': 'request',
      guard: 'request',
      'guard.refuses': 'request',
      filter: 'request',
    });
  });

  it('is seen by the filter of a handler that throws', async () => {
    const app = await booted(adapter).start();
    expect(await app.visit('/things/failing')).toBe(418);
    expect(framesOf(app, '/things/failing')).toMatchObject({
      filter: 'handler request',
    });
  });

  it('is seen by the filter of what nobody serves', async () => {
    const app = await booted(adapter)
      .with((nest) =>
        nest.useGlobalFilters(new EmittingFilter(nest.get(getTrackerToken()), nest.get(HttpAdapterHost))),
      )
      .start();
    expect(await app.visit('/nothing')).toBe(404);
    expect(framesOf(app, '/nothing')).toMatchObject({ filter: 'request' });
    expect(requestOf(await app.event('filter'))).not.toHaveProperty('route');
  });

  it('is seen by streams while they are read', async () => {
    const app = await booted(adapter).start();
    expect(await (await app.fetch('/things/file')).text()).toBe('ab');
    expect(framesOf(app, '/things/file')).toMatchObject({
      stream: 'handler request',
      'stream.later': 'handler request',
    });
  });

  it('is seen by server-sent events', async () => {
    const app = await booted(adapter).start();
    expect(await (await app.fetch('/things/events')).text()).toContain('data: 2');
    expect(framesOf(app, '/things/events')).toMatchObject({
      sse: 'handler request',
    });
  });

  it('starts empty, whatever scope was there when the server began to listen', async () => {
    const builder = booted(adapter);
    const nest = await builder.create();
    await nest.init();
    const tracker = nest.get<Tracker>(getTrackerToken());
    await tracker.context('boot', { boot: true }, () => nest.listen(0, '127.0.0.1'));
    await fetch(`${await nest.getUrl()}/things/7`).then((r) => r.text());
    await nest.close();
    const events = builder.memory.events;
    expect(events.length).toBeGreaterThan(5);
    expect(events.filter(({ context }) => 'boot' in context)).toStrictEqual([]);
  });

  it('takes what is entered in it, and nothing of that outlives it', async () => {
    @Controller()
    class Entering extends Emitting {
      @Get('enter')
      enter(): string {
        this.tracker.enterContext('cart', { cart: 1, request: 'mine' });
        this.tracker.emit('entered');
        return 'ok';
      }
    }
    const app = await nestApp(adapter).controllers(Entering, Things).start();
    await app.visit('/enter');
    await app.visit('/things/7');
    expect((await app.event('entered')).context).toMatchObject({
      cart: 1,
      request: 'mine',
    });
    expect((await app.event('handler')).context).not.toHaveProperty('cart');
  });
});

describe.each(ADAPTERS)('the doors on %s', (adapter) => {
  const inHandler = { request: 'request', handler: 'handler request' };

  it.each([
    {
      middleware: true,
      interceptor: true,
      early: inHandler.request,
      guard: inHandler.request,
      handler: inHandler.handler,
    },
    {
      middleware: true,
      interceptor: false,
      early: inHandler.request,
      guard: inHandler.request,
      handler: inHandler.request,
    },
    {
      middleware: false,
      interceptor: true,
      early: '',
      guard: '',
      handler: inHandler.handler,
    },
    {
      middleware: false,
      interceptor: false,
      early: '',
      guard: '',
      handler: inHandler.request,
    },
  ])(
    'with middleware: $middleware and interceptor: $interceptor',
    async ({ early, guard, handler, ...extras }) => {
      const app = await booted(adapter, extras).start();
      await app.visit('/things/7');
      await app.event('timer');
      expect(framesOf(app, '/things/7')).toStrictEqual({
        middleware: early,
        'middleware.later': early,
        guard,
        pipe: handler,
        interceptor: handler,
        handler,
        'handler.later': handler,
        'interceptor.after': handler,
        timer: handler,
      });
    },
  );
});

describe.each(ADAPTERS)('what is mounted by hand on %s', (adapter) => {
  it('is in the scope already, and cannot make it lost', async () => {
    const app = await nestApp(adapter)
      .controllers(Things)
      .with((nest) => {
        const tracker = nest.get<Tracker>(getTrackerToken());
        const mounted: Step = (_request, _response, next) => {
          tracker.emit('mounted');
          elsewhere.runInAsyncScope(next);
        };
        if (adapter === 'express') {
          nest.use(mounted);
        } else {
          const fastify = nest.getHttpAdapter().getInstance() as FastifyInstance;
          fastify.addHook('onRequest', mounted);
        }
      })
      .start();
    expect(await app.visit('/things/7')).toBe(200);
    expect(framesOf(app, '/things/7')).toMatchObject({
      mounted: 'request',
      guard: 'request',
      handler: 'handler request',
    });
  });

  it('is in the scope where main.ts mounts it, and so is what comes later', async () => {
    const app = await nestApp(adapter)
      .controllers(Things)
      .module(WithMiddleware)
      .with((nest) => {
        const tracker = nest.get<Tracker>(getTrackerToken());
        const mount = (name: string) =>
          nest.use((_request: unknown, _response: unknown, next: () => void) => {
            tracker.emit(name);
            elsewhere.runInAsyncScope(next);
          });
        mount('mounted');
        mount('mounted.elsewhere');
      })
      .start();
    await app.visit('/things/7');
    await app.event('timer');
    expect(framesOf(app, '/things/7')).toMatchObject({
      mounted: 'request',
      middleware: 'request',
      'middleware.later': 'request',
      guard: 'request',
      handler: 'handler request',
    });
    expect(
      new Set(
        app.memory.events
          .filter(({ name }) => name !== 'mounted.elsewhere')
          .map((event) => requestOf(event)['id']),
      ).size,
    ).toBe(1);
  });

  it('is in the scope with the testing module too', async () => {
    const memory = memoryBackend();
    const testing = await Test.createTestingModule({
      imports: [TrackingModule.forRoot({ backends: { memory } }), WithMiddleware],
      controllers: [Things],
    }).compile();
    const nest =
      adapter === 'express'
        ? testing.createNestApplication()
        : testing.createNestApplication(new FastifyAdapter());
    nest.useLogger(false);
    await nest.listen(0, '127.0.0.1');
    await fetch(`${await nest.getUrl()}/things/7`).then((r) => r.text());
    await nest.close();
    expect(framesOf({ memory }, '/things/7')).toMatchObject({
      middleware: 'request',
      guard: 'request',
      handler: 'handler request',
    });
  });

  it('is not needed to see the filter of a body that cannot be read', async () => {
    const app = await nestApp(adapter)
      .controllers(Things)
      .with((nest) =>
        nest.useGlobalFilters(new EmittingFilter(nest.get(getTrackerToken()), nest.get(HttpAdapterHost))),
      )
      .start();
    const status = await app.visit('/things', {
      method: 'POST',
      body: '{',
      headers: { 'content-type': 'application/json' },
    });
    expect(status).toBe(400);
    expect(framesOf(app, '/things')).toStrictEqual({ filter: 'request' });
  });
});
