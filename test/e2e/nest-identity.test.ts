import type {
  CanActivate,
  ExecutionContext,
  MiddlewareConsumer,
  NestModule,
  OnApplicationBootstrap,
  OnModuleInit,
} from '@nestjs/common';
import { Body, Controller, Get, Headers, Module, Post, Query, UseGuards } from '@nestjs/common';
import { isDeepStrictEqual } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import type {
  JsonObject,
  RequestSource,
  Tracker,
  TrackingEvent,
  TrackingRequestOptions,
} from 'nestjs-tracking';
import { getTrackerToken, InjectTracker, isTrackingError } from 'nestjs-tracking';
import { untyped } from '../support/recording.js';
import type { AdapterName } from '../support/nest-app.js';
import { ADAPTERS, closeApps, nestApp } from '../support/nest-app.js';
import { sessionIdOf } from '../support/session-id.js';

type SignedIn = RequestSource & {
  user?: unknown;
  session?: unknown;
  sessionID?: string;
};
type Step = (request: SignedIn, response: unknown, next: () => void) => void;

const pause = (): Promise<void> =>
  new Promise((resolve) => {
    const ms = Math.random() * 3;
    if (ms < 1) {
      setImmediate(resolve);
    } else {
      setTimeout(resolve, ms);
    }
  });

class Emitting {
  constructor(@InjectTracker() protected readonly tracker: Tracker) {}
}

/** Signs in whoever the header names, as an authentication guard does. */
class SignIn extends Emitting implements CanActivate {
  async canActivate(execution: ExecutionContext): Promise<boolean> {
    this.tracker.emit('before');
    const request = execution.switchToHttp().getRequest<SignedIn>();
    await pause();
    const name = request.headers?.['x-user'];
    if (name !== undefined) {
      request.user = { id: name, password: 'secret' };
      request.session = { id: `s-${String(name)}` };
    }
    return true;
  }
}

@Controller()
class Guarded extends Emitting {
  @Get('guarded')
  @UseGuards(SignIn)
  guarded(): string {
    this.tracker.emit('after');
    return 'ok';
  }

  @Get('open')
  open(): string {
    this.tracker.emit('after');
    return 'ok';
  }
}

afterEach(closeApps);

/** An app whose middleware decorates the request; the context of the event that its handler emits. */
async function contextOf(
  adapter: AdapterName,
  decorate: (request: SignedIn) => void,
  request: TrackingRequestOptions = {},
) {
  @Module({})
  class Decorating implements NestModule {
    configure(consumer: MiddlewareConsumer): void {
      const step: Step = (incoming, _response, next) => {
        decorate(incoming);
        next();
      };
      consumer.apply(step).forRoutes('*path');
    }
  }
  const app = await nestApp(adapter).tracking({ request }).module(Decorating).controllers(Guarded).start();
  expect(await app.visit('/open')).toBe(200);
  return { context: (await app.event('after')).context, app };
}

describe.each(ADAPTERS)('the user on %s', (adapter) => {
  it.each([
    [{ id: 7, email: 'a@b.c' }, { id: 7 }],
    [{ sub: 'auth0|7', id: undefined }, { id: 'auth0|7' }],
    [{ userId: 'u7' }, { id: 'u7' }],
    [{ id: 'a', sub: 'b', userId: 'c' }, { id: 'a' }],
    [{ id: 12345678901234567890n }, { id: '12345678901234567890' }],
    [{ name: 'who?' }, undefined],
    [{ id: { nested: true } }, undefined],
    ['ann', undefined],
    [null, undefined],
  ])('is the id of %p alone', async (user, expected) => {
    const { context, app } = await contextOf(adapter, (request) => {
      Object.assign(request, { user });
    });
    expect(context['user']).toStrictEqual(expected);
    expect(app.reports).toStrictEqual([]);
  });

  it('who signs in by a guard is there from then on, and the session too', async () => {
    const app = await nestApp(adapter).controllers(Guarded).start();
    await app.visit('/guarded', { headers: { 'x-user': 'ann' } });
    expect((await app.event('before')).context).not.toHaveProperty('user');
    expect((await app.event('after')).context).toMatchObject({
      user: { id: 'ann' },
      session: { id: sessionIdOf('s-ann') },
    });
    expect(JSON.stringify(app.memory.events)).not.toContain('secret');
  });

  it.each([
    ['a text', 'ann', { id: 'ann' }],
    ['a number', 0, { id: 0 }],
    ['an object with an id', { id: 1, plan: 'pro' }, { id: 1, plan: 'pro' }],
    ['nothing', undefined, undefined],
    ['null', null, undefined],
  ])('is what request.user answers: %s', async (_what, answer, expected) => {
    const { context, app } = await contextOf(adapter, () => undefined, {
      user: () => answer,
    });
    expect(context['user']).toStrictEqual(expected);
    expect(app.reports).toStrictEqual([]);
  });

  it.each([
    [
      'fails',
      () => {
        throw new Error('no database');
      },
    ],
    ['answers what has no id', () => ({ name: 'ann' })],
    ['answers what is no identity', () => untyped<string>(true)],
  ])('is left out when request.user %s, which is told once', async (_how, user) => {
    const { context, app } = await contextOf(adapter, () => undefined, {
      user,
    });
    await app.event('after');
    expect(context).not.toHaveProperty('user');
    expect(context).toHaveProperty('request');
    expect(app.reports).toMatchObject([{ code: 'callback_failed', path: 'request.user' }]);
  });

  it('and the session are asked with the request of the framework and, once there is one, the execution', async () => {
    const asked: unknown[] = [];
    const app = await nestApp(adapter)
      .tracking({
        request: {
          user: (source, execution) => {
            asked.push([
              source.headers?.['x-user'],
              // Express and Fastify have it, Node has not.
              'query' in source,
              execution?.getHandler().name,
              execution?.getClass().name,
            ]);
            return undefined;
          },
          session: (source, execution) =>
            execution === undefined ? undefined : `of ${String(source.headers?.['x-user'])}`,
        },
      })
      .controllers(Guarded)
      .start();
    await app.visit('/guarded', { headers: { 'x-user': 'ann' } });
    expect(asked).toStrictEqual([
      // In the guard no handler is known yet.
      ['ann', true, undefined, undefined],
      ['ann', true, 'guarded', 'Guarded'],
      ['ann', true, 'guarded', 'Guarded'],
    ]);
    expect((await app.event('after')).context['session']).toStrictEqual({
      id: 'of ann',
    });
  });

  it('is asked no more once it was answered', async () => {
    let asked = 0;
    const app = await nestApp(adapter)
      .tracking({
        request: {
          user: () => {
            asked++;
            return 'ann';
          },
        },
      })
      .controllers(Guarded)
      .start();
    await app.visit('/guarded');
    expect(app.memory.events).toHaveLength(2);
    expect(asked).toBe(1);
  });
});

describe.each(ADAPTERS)('the session on %s', (adapter) => {
  it.each([
    [{ session: { id: 'abc', cart: 1 } }, { id: sessionIdOf('abc') }],
    [{ sessionID: 'def' }, { id: sessionIdOf('def') }],
    [{ session: { id: 'abc' }, sessionID: 'def' }, { id: sessionIdOf('abc') }],
    [{ session: {} }, undefined],
    [{}, undefined],
  ])('is a hash of the id of %j', async (decoration, expected) => {
    const { context } = await contextOf(adapter, (request) => {
      Object.assign(request, decoration);
    });
    expect(context['session']).toStrictEqual(expected);
  });

  const ofExpressSession = { session: { id: 'a+b', save: () => undefined }, sessionID: 'a+b' };

  it.each<[string, object, Record<string, string>, object | undefined]>([
    ['not known while express-session has made it for this request alone', ofExpressSession, {}, undefined],
    [
      'known once its cookie came with the request',
      ofExpressSession,
      { cookie: 'connect.sid=s%3Aa%2Bb.signature' },
      { id: sessionIdOf('a+b') },
    ],
    [
      'known once its cookie comes, signed',
      ofExpressSession,
      { cookie: 'a=1; connect.sid=s%3Aa%2Bb.signature' },
      { id: sessionIdOf('a+b') },
    ],
    [
      'not known while cookie-session says that it is new',
      { session: { id: 'a', isNew: true } },
      {},
      undefined,
    ],
  ])('is %s', async (_when, decoration, headers, expected) => {
    const { context } = await contextOf(adapter, (request) => {
      Object.assign(request.headers ?? {}, headers);
      Object.assign(request, decoration);
    });
    expect(context['session']).toStrictEqual(expected);
  });

  it('is what request.session answers', async () => {
    const { context } = await contextOf(adapter, () => undefined, {
      session: () => ({ id: 'x', device: 'tv' }),
    });
    expect(context['session']).toStrictEqual({ id: 'x', device: 'tv' });
  });
});

describe.each(ADAPTERS)('hundreds of requests at once on %s', (adapter) => {
  @Controller()
  class Shop extends Emitting {
    @Post('buy')
    @UseGuards(SignIn)
    async buy(
      @Headers('x-user') user: string,
      @Query('n') n: string,
      @Body() body: { text: string },
    ): Promise<string> {
      await pause();
      const mine = { user, n, size: body.text.length };
      this.tracker.enterContext('cart', { cart: n });
      this.tracker.emit('asked', mine);
      await Promise.all(
        ['a', 'b'].map((item) =>
          this.tracker.context('item', { item }, async () => {
            await pause();
            this.tracker.emit('item', { ...mine, item });
          }),
        ),
      );
      await pause();
      this.tracker.emit('bought', mine);
      return n;
    }
  }

  it('have their own request, user and session each, in every event', async () => {
    const { memory, visit, reports } = await nestApp(adapter).controllers(Shop).start();
    const requests = Array.from({ length: 300 }, (_, n) => n);
    const statuses = await Promise.all(
      requests.map(async (n) => {
        await pause();
        return visit(`/buy?n=${n}`, {
          method: 'POST',
          headers: {
            'x-user': `u${n % 40}`,
            'user-agent': `agent-${n}`,
            'content-type': 'application/json',
          },
          body: JSON.stringify({ text: 'x'.repeat((n % 3) * 20_000) }),
        });
      }),
    );
    expect(new Set(statuses)).toStrictEqual(new Set([201]));
    const events = memory.events.filter(({ name }) => name !== 'before');
    expect(events).toHaveLength(300 * 4);
    const ids = new Map<unknown, unknown>();
    const wrong = events.filter(({ data, context }) => {
      const { n, user, item } = data as {
        n: string;
        user: string;
        item?: string;
      };
      const { id, ...request } = context['request'] as JsonObject;
      ids.set(n, ids.get(n) ?? id);
      return (
        ids.get(n) !== id ||
        request['userAgent'] !== `agent-${n}` ||
        request['path'] !== '/buy' ||
        !isDeepStrictEqual(context, {
          request: { id, ...request },
          user: { id: user },
          session: { id: sessionIdOf(`s-${user}`) },
          handler: { kind: 'http', class: 'Shop', method: 'buy' },
          cart: n,
          ...(item === undefined ? {} : { item }),
        })
      );
    });
    expect(wrong).toStrictEqual([]);
    expect(new Set(ids.values()).size).toBe(300);
    expect(
      memory.events.filter((event: TrackingEvent) => event.name === 'before' && 'user' in event.context),
    ).toStrictEqual([]);
    expect(reports).toStrictEqual([]);
  }, 60_000);
});

describe.each(ADAPTERS)('the base of the process on %s', (adapter) => {
  class Booting extends Emitting implements OnModuleInit, OnApplicationBootstrap {
    onModuleInit(): void {
      this.tracker.enterContext('boot', { version: 1 });
    }

    onApplicationBootstrap(): void {
      this.tracker.enterContext('ready', { ready: true });
    }
  }

  it('takes contexts while the app boots, and none once it serves', async () => {
    const app = await nestApp(adapter).providers(Booting).controllers(Guarded).start();
    const tracker = app.app.get<Tracker>(getTrackerToken());
    tracker.enterContext('late', { user: { id: 'somebody' } });
    await app.visit('/open');
    const { context } = await app.event('after');
    expect(context).toMatchObject({ version: 1, ready: true });
    expect(context).not.toHaveProperty('user');
    expect(app.codes()).toStrictEqual(['context_outside_scope']);
  });

  it('throws what it refuses in strict mode', async () => {
    const { app } = await nestApp(adapter).tracking({ strict: true }).start();
    const tracker = app.get<Tracker>(getTrackerToken());
    const enter = () => {
      tracker.enterContext('late', {});
    };
    expect(enter).toThrow('enterContext("late") outside any request');
    const error: unknown = (() => {
      try {
        enter();
        return undefined;
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(isTrackingError(error) && error.code).toBe('context_outside_scope');
  });
});
