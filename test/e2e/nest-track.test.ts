import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import {
  ConflictException,
  Controller,
  Get,
  Header,
  Inject,
  Injectable,
  Module,
  Param,
  Res,
  Sse,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { get } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Observable } from 'rxjs';
import { concat, EMPTY, lastValueFrom, map, NEVER, of, Subject, take, throwError, timeout } from 'rxjs';
import type { JsonObject, Tracker, TrackingExtras } from 'nestjs-tracking';
import { getTrackerToken, NoTrack, Track, TrackingContext, TrackingModule } from 'nestjs-tracking';
import { memoryBackend } from 'nestjs-tracking/testing';
import type { RunningApp } from '../support/nest-app.js';
import { ADAPTERS, closeApps, nestApp } from '../support/nest-app.js';

/** Handlers whose answers are ended from outside, in no scope. */
const streams = new Map<string, Subject<unknown>>();

class OnlyFirst implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(take(1));
  }
}

class TimeLimit implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(timeout(5));
  }
}

class Nobody {
  canActivate(): boolean {
    return false;
  }
}

interface Order {
  readonly id: string;
  readonly card: string;
}

@Controller('orders')
class Orders {
  @Get('plain')
  @Track('plain')
  plain(): string {
    return 'ok';
  }

  @Get('data/:id')
  @Track('data', {
    data: (order: Order, execution) => ({
      id: order.id,
      by: execution.getHandler().name,
    }),
  })
  async data(@Param('id') id: string): Promise<Order> {
    await Promise.resolve();
    return { id, card: 'secret' };
  }

  @Get('bad-data')
  @Track('bad-data', {
    data: () => {
      throw new Error('no data');
    },
  })
  badData(): string {
    return 'ok';
  }

  @Get('success')
  @Track('success', { on: 'success' })
  @Track('failure', { on: 'failure' })
  @Track('both', { on: 'both' })
  success(): string {
    return 'ok';
  }

  @Get('failure')
  @Track('success', { on: 'success' })
  @Track('failure', { on: 'failure' })
  @Track('both', {
    on: 'both',
    data: (error: ConflictException) => ({ message: error.message }),
  })
  failure(): never {
    throw new ConflictException('sold out');
  }

  @Get('thrown')
  @Track('thrown', { on: 'failure' })
  thrown(): never {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- as some do
    throw 'a text';
  }

  @Get('refused')
  @UseGuards(Nobody)
  @Track('refused', { on: 'both' })
  refused(): string {
    return 'ok';
  }

  @Get('observable')
  @Track('observable', { data: (last: unknown) => ({ last }) })
  observable(): Observable<string> {
    return of('a', 'b');
  }

  @Get('empty')
  @Track('empty', { data: (last: unknown) => ({ last: String(last) }) })
  empty(): Observable<string> {
    return EMPTY;
  }

  @Get('subject')
  @Track('subject')
  subject(): Observable<unknown> {
    const subject = new Subject<unknown>();
    streams.set('subject', subject);
    return subject;
  }

  @Get('first')
  @Track('first', { data: (last: unknown) => ({ last }) })
  @UseInterceptors(OnlyFirst)
  first(): Observable<string> {
    return concat(of('a'), NEVER);
  }

  @Get('limited')
  @Track('limited', { on: 'both' })
  @UseInterceptors(TimeLimit)
  limited(): Observable<string> {
    return NEVER;
  }

  @Sse('sse')
  @Track('sse', { on: 'both', data: (last: unknown) => ({ last }) })
  sse(): Observable<{ data: unknown }> {
    const subject = new Subject<unknown>();
    streams.set('sse', subject);
    return subject.pipe(map((data) => ({ data })));
  }

  @Get('by-hand')
  @Track('by-hand')
  @Header('x-by', 'hand')
  byHand(@Res() response: { send(body: string): unknown }): void {
    response.send('ok');
  }
}

@Controller()
class Context {
  @Get('context')
  context(@TrackingContext() context: JsonObject): JsonObject {
    return { frozen: Object.isFrozen(context), context };
  }
}

@Controller('audited')
class Audited {
  @Get()
  @Track('audited', { tracker: 'audit' })
  audited(): string {
    return 'ok';
  }
}

@Controller()
class Misspelled {
  @Get()
  @Track('x', { tracker: 'audti' })
  audited(): string {
    return 'ok';
  }
}

@Controller('tracked')
@Track('class', { on: 'both' })
class Tracked {
  @Get('all')
  all(): string {
    return 'ok';
  }

  @Get('own')
  @Track('own')
  own(): string {
    return 'ok';
  }

  @Get('none')
  @NoTrack()
  none(): string {
    return 'ok';
  }

  @Get('none-at-all')
  @NoTrack()
  @Track('own')
  noneAtAll(): string {
    return 'ok';
  }
}

@Controller('untracked')
@NoTrack()
@Track('class')
class Untracked {
  @Get()
  @Track('own')
  all(): string {
    return 'ok';
  }
}

@Controller('inheriting')
class Inheriting extends Tracked {}

afterEach(closeApps);

const tracked = ({ memory }: Pick<RunningApp, 'memory'>) =>
  memory.events.map(({ name, data }) => [name, data]);

describe.each(ADAPTERS)('@Track on %s', (adapter) => {
  const start = () => nestApp(adapter).controllers(Orders, Tracked, Untracked, Inheriting).start();

  it('emits when the handler has answered, in its context', async () => {
    const app = await start();
    await app.visit('/orders/plain');
    expect(app.memory.events).toMatchObject([
      {
        name: 'plain',
        data: {},
        context: {
          request: { route: '/orders/plain' },
          handler: { class: 'Orders', method: 'plain' },
        },
      },
    ]);
  });

  it.each<[string, unknown[]]>([
    ['/orders/data/7', [['data', { id: '7', by: 'data' }]]],
    [
      '/orders/success',
      [
        ['both', {}],
        ['success', {}],
      ],
    ],
    [
      '/orders/failure',
      [
        ['both', { message: 'sold out' }],
        ['failure', { error: 'ConflictException' }],
      ],
    ],
    ['/orders/thrown', [['thrown', { error: 'string' }]]],
    ['/orders/refused', []],
    ['/orders/observable', [['observable', { last: 'b' }]]],
    ['/orders/empty', [['empty', { last: 'undefined' }]]],
    ['/orders/by-hand', [['by-hand', {}]]],
    ['/orders/first', [['first', { last: 'a' }]]],
    ['/orders/limited', [['limited', { error: 'AbortError' }]]],
    ['/tracked/all', [['class', {}]]],
    ['/tracked/own', [['own', {}]]],
    ['/tracked/none', []],
    ['/tracked/none-at-all', []],
    ['/untracked', []],
    ['/inheriting/all', [['class', {}]]],
    ['/inheriting/own', [['own', {}]]],
  ])('at %s tracks %j', async (path, expected) => {
    const app = await start();
    await app.visit(path);
    expect(tracked(app).sort()).toStrictEqual(expected);
    expect(app.reports).toStrictEqual([]);
  });

  it('goes without a payload when its data function fails, and reports that', async () => {
    const app = await start();
    expect(await app.visit('/orders/bad-data')).toBe(200);
    expect(tracked(app)).toStrictEqual([['bad-data', {}]]);
    expect(app.reports).toMatchObject([{ code: 'callback_failed' }]);
    expect(app.reports[0]?.message).toContain('@Track("bad-data")');
  });

  it('stays in the scope of its request when somebody else ends the answer', async () => {
    const app = await start();
    const visits = app.visit('/orders/subject');
    await waitUntil(() => streams.get('subject')?.observed === true);
    app.app.get<Tracker>(getTrackerToken()).context('other', { other: 1 }, () => {
      streams.get('subject')?.next('x');
      streams.get('subject')?.complete();
    });
    expect(await visits).toBe(200);
    const { context } = await app.event('subject');
    expect(context).toMatchObject({ request: { path: '/orders/subject' } });
    expect(context).not.toHaveProperty('other');
  });

  it.each([
    ['after it heard something', ['x', 'y'], { last: { data: 'y' } }],
    ['before it heard anything', [], { last: { name: 'AbortError' } }],
  ])('fires once when the client leaves a stream %s', async (_when, values, data) => {
    streams.clear();
    const app = await start();
    const request = get(`${app.url}/orders/sse`);
    request.on('error', () => undefined);
    await waitUntil(() => streams.get('sse')?.observed === true);
    for (const value of values) {
      streams.get('sse')?.next(value);
    }
    request.destroy();
    expect(await app.event('sse')).toMatchObject({
      data,
      context: {
        request: { path: '/orders/sse' },
        handler: { method: 'sse' },
      },
    });
    await app.close();
    expect(app.memory.events).toHaveLength(1);
  });

  it('acts on the named tracker, once', async () => {
    const audit = memoryBackend();
    const app = await nestApp(adapter)
      .tracking()
      .trackingModule((options) =>
        TrackingModule.forRoot({
          ...options,
          name: 'audit',
          backends: { audit },
        }),
      )
      .controllers(Audited)
      .start();
    await app.visit('/audited');
    expect(audit.events).toMatchObject([{ name: 'audited', context: { handler: { method: 'audited' } } }]);
    expect(app.memory.events).toHaveLength(0);
  });

  it('acts on the named tracker where no instance follows requests', async () => {
    const audit = memoryBackend();
    const app = await nestApp(adapter)
      .trackingModule((options) => TrackingModule.forRoot({ ...options, name: 'other' }))
      .trackingModule((options) =>
        TrackingModule.forRoot({
          ...options,
          name: 'audit',
          backends: { audit },
        }),
      )
      .controllers(Audited)
      .start();
    await app.visit('/audited');
    expect(audit.events).toMatchObject([{ name: 'audited', context: {} }]);
  });

  it('acts on the tracker that the module of the controller injects', async () => {
    const app = await nestApp(adapter)
      .imports({
        module: Feature,
        imports: [TrackingModule.forFeature({ context: { area: 'shop' } })],
        controllers: [Orders],
      })
      .start();
    await app.visit('/orders/plain');
    expect(app.memory.events).toMatchObject([{ name: 'plain', context: { area: 'shop' } }]);
  });

  it('stops the boot where there is no such tracker', async () => {
    const builder = nestApp(adapter).controllers(Misspelled);
    await expect(builder.start()).rejects.toThrow(
      '@Track("x") finds no tracker named "audti" in the module of its controller',
    );
  });

  it('does nothing with interceptor: false', async () => {
    const app = await nestApp(adapter).tracking({ interceptor: false }).controllers(Orders).start();
    expect(await app.visit('/orders/plain')).toBe(200);
    expect(app.memory.events).toHaveLength(0);
  });

  it('opens the scope itself with middleware: false', async () => {
    const app = await nestApp(adapter).tracking({ middleware: false }).controllers(Orders).start();
    await app.visit('/orders/plain');
    expect(app.memory.events).toMatchObject([
      { name: 'plain', context: { request: {}, handler: { method: 'plain' } } },
    ]);
  });

  it('does nothing in an app without tracking', async () => {
    const app = await nestApp(adapter).untracked().controllers(Orders, Context).start();
    expect(await app.visit('/orders/plain')).toBe(200);
    expect(await (await app.fetch('/context')).json()).toStrictEqual({
      frozen: true,
      context: {},
    });
  });
});

@Module({})
class Feature {}

@Injectable()
class Stock {
  readonly prefix = 'stock';

  @Track('counted', { data: (left: number) => ({ left }) })
  count(of: string): number {
    return of.length;
  }

  @Track('fetched', { on: 'both', data: (result: unknown, execution) => ({ result, execution }) })
  async fetch(id: string): Promise<string> {
    await Promise.resolve();
    return `${this.prefix}-${id}`;
  }

  @Track('watched', { data: (last: unknown) => ({ last }) })
  watch(): Observable<number> {
    return of(1, 2);
  }

  @Track('thrown', { on: 'failure' })
  refuse(): never {
    throw new ConflictException('sold out');
  }

  @Track('rejected', { on: 'both' })
  reject(): Promise<never> {
    return Promise.reject(new TypeError('gone'));
  }

  @Track('failed', { on: 'failure' })
  fail(): Observable<never> {
    return throwError(() => new RangeError('far'));
  }

  @Track('first')
  @Track('second')
  twice(): void {
    // Two events.
  }
}

@Controller('stock')
class StockController {
  constructor(@Inject(Stock) private readonly stock: Stock) {}

  @Get()
  @Track('listed')
  list(): number {
    return this.stock.count('abc');
  }
}

describe.each(ADAPTERS)("@Track on a provider's method on %s", (adapter) => {
  const start = async (options: TrackingExtras = {}) => {
    const app = await nestApp(adapter)
      .tracking(options)
      .providers(Stock)
      .controllers(StockController)
      .start();
    const tracked = (): unknown[] => app.memory.events.map(({ name, data }) => [name, data]);
    return { ...app, stock: app.app.get(Stock), tracked };
  };

  it('emits when it has returned, or what it returned has settled', async () => {
    const { stock, tracked } = await start();
    expect(stock.count('abc')).toBe(3);
    expect(tracked()).toStrictEqual([['counted', { left: 3 }]]);
    const fetched = stock.fetch('7');
    expect(tracked()).toHaveLength(1);
    expect(await fetched).toBe('stock-7');
    const watched = stock.watch();
    expect(tracked()).toHaveLength(2);
    expect(await lastValueFrom(watched)).toBe(2);
    expect(tracked().slice(1)).toStrictEqual([
      // There is no execution.
      ['fetched', { result: 'stock-7' }],
      ['watched', { last: 2 }],
    ]);
  });

  it('emits when it has failed, and fails as it did', async () => {
    const { stock, tracked } = await start();
    expect(() => stock.refuse()).toThrow(ConflictException);
    await expect(stock.reject()).rejects.toThrow(TypeError);
    await expect(lastValueFrom(stock.fail())).rejects.toThrow(RangeError);
    expect(tracked()).toStrictEqual([
      ['thrown', { error: 'ConflictException' }],
      ['rejected', { error: 'TypeError' }],
      ['failed', { error: 'RangeError' }],
    ]);
  });

  it('emits each of several', async () => {
    const { stock, tracked } = await start();
    stock.twice();
    expect(new Set(tracked())).toStrictEqual(
      new Set([
        ['first', {}],
        ['second', {}],
      ]),
    );
  });

  it('emits in the scope of the request, and once for the handler', async () => {
    const { visit, memory, tracked } = await start();
    expect(await visit('/stock')).toBe(200);
    expect(tracked()).toStrictEqual([
      ['counted', { left: 3 }],
      ['listed', {}],
    ]);
    expect(memory.events.map(({ context }) => context['handler'])).toMatchObject([
      { method: 'list' },
      { method: 'list' },
    ]);
  });

  it('does nothing with interceptor: false', async () => {
    const { stock, visit, memory } = await start({ interceptor: false });
    expect(stock.count('abc')).toBe(3);
    expect(await stock.fetch('7')).toBe('stock-7');
    expect(await visit('/stock')).toBe(200);
    expect(memory.events).toHaveLength(0);
  });

  it('acts on the tracker that the module of the provider injects', async () => {
    const app = await nestApp(adapter)
      .imports({
        module: Feature,
        imports: [TrackingModule.forFeature({ context: { area: 'stock' } })],
        providers: [Stock],
      })
      .start();
    app.app.get(Stock, { strict: false }).count('a');
    expect(app.memory.events).toMatchObject([{ name: 'counted', context: { area: 'stock' } }]);
  });
});

describe("@Track on a provider's method", () => {
  it('does nothing on an instance made by hand', () => {
    expect(new Stock().count('ab')).toBe(2);
  });

  it('keeps its name and length', () => {
    const { count } = Stock.prototype;
    expect([count.name, count.length]).toStrictEqual(['count', 1]);
  });
});

describe.each(ADAPTERS)('@TrackingContext on %s', (adapter) => {
  it('is what an event would carry now, frozen', async () => {
    const app = await nestApp(adapter)
      .tracking({ context: { app: 'shop' } })
      .controllers(Context)
      .start();
    const body: unknown = await (await app.fetch('/context')).json();
    expect(body).toMatchObject({
      frozen: true,
      context: {
        app: 'shop',
        request: { path: '/context' },
        handler: { method: 'context' },
      },
    });
  });

  it('is that of a named instance where there is no other', async () => {
    const app = await nestApp(adapter)
      .tracking({ name: 'audit', context: { app: 'audit' } })
      .controllers(Context)
      .start();
    const body: unknown = await (await app.fetch('/context')).json();
    expect(body).toMatchObject({ context: { app: 'audit' } });
  });
});

async function waitUntil(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    if (turn > 2_000) {
      throw new Error('waited in vain');
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
