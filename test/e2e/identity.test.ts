import { createHash } from 'node:crypto';
import { AsyncLocalStorage } from 'node:async_hooks';
import { Controller, Get, Req } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Tracker } from 'nestjs-tracking';
import { InjectTracker } from 'nestjs-tracking';
import { eventJson } from 'nestjs-tracking/core';
import type { RequestOptions, RequestSummary } from 'nestjs-tracking/express';
import type { SessionOptions, SessionRequest } from '../support/browser-sessions.js';
import { browserSessions } from '../support/browser-sessions.js';
import type { TrackedApp } from '../support/express-app.js';
import { closeApps, startExpress } from '../support/express-app.js';
import { turns, until } from '../support/http-app.js';
import { ADAPTERS, closeApps as closeNestApps, nestApp } from '../support/nest-app.js';
import { untyped } from '../support/recording.js';

afterEach(async () => {
  await closeApps();
  await closeNestApps();
});

/** What the recorded id of a session is by default: enough to tell sessions apart, and no key to any. */
function recorded(id: string): object {
  return { id: createHash('sha256').update(id).digest('base64url').slice(0, 22) };
}

/** An id as MongoDB's drivers have it: an object with a JSON form, and an accessor `id` with its bytes. */
class ObjectId {
  readonly #hex: string;

  constructor(hex = '6b0acb7400000000deadbeef') {
    this.#hex = hex;
  }

  get id(): Uint8Array {
    return Buffer.from(this.#hex, 'hex');
  }

  toJSON(): string {
    return this.#hex;
  }

  toString(): string {
    return this.#hex;
  }
}

/** One that has a string form alone. */
class Key {
  constructor(private readonly value: string) {}

  toString(): string {
    return `key-${this.value}`;
  }
}

const HEX = '6b0acb7400000000deadbeef';

/** Ids that are objects, and what becomes of them. Zero is an id like any other. */
const IDS: readonly [string, () => unknown, string | number][] = [
  ['an ObjectId', () => new ObjectId(), HEX],
  ['an object with toString', () => new Key('7'), 'key-7'],
  ['a URL', () => new URL('urn:user:7'), 'urn:user:7'],
  ['a boxed string', () => Object('ann') as unknown, 'ann'],
  ['an object whose own toString is a field', () => ({ toString: () => 'u7' }), 'u7'],
  ['an object whose toJSON is a field', () => ({ toJSON: () => 'u7', extra: 1 }), 'u7'],
  ['zero', () => 0, 0],
];

/** What `user` (or `session`) may be, so that this id is in it. */
const SHAPES: readonly [string, (id: unknown) => unknown, RequestOptions][] = [
  ['request.user.id', (id) => ({ id, password: 'secret' }), {}],
  ['request.user.sub', (sub) => ({ sub, password: 'secret' }), {}],
  ['request.user.userId', (userId) => ({ userId, password: 'secret' }), {}],
  [
    'the id that a function returns',
    (id) => ({ key: id }),
    { user: ({ user }) => untyped<{ key: string }>(user).key },
  ],
  ['an object with it that a function returns', (id) => ({ id }), { user: ({ user }) => user as object }],
];

/** Emits once for each user that the request gets, one after the other. */
async function usersOf(users: readonly unknown[], request: RequestOptions = {}): Promise<TrackedApp> {
  const app = await startExpress(
    (web, tracker) => {
      web.get('/', (incoming, response) => {
        for (const user of users) {
          Object.assign(incoming, { user });
          tracker.emit('seen');
        }
        response.send('ok');
      });
    },
    { request },
  );
  await app.send('/');
  return app;
}

const framesOf = ({ memory }: TrackedApp): unknown[] => memory.events.map(({ context }) => context['user']);

describe.each(SHAPES)('an id in %s', (_where, userWith, request) => {
  it.each(IDS)('is recorded as its string: %s', async (_what, make, expected) => {
    const app = await usersOf([userWith(make())], request);
    expect(framesOf(app)).toStrictEqual([{ id: expected }]);
    expect(JSON.parse(eventJson(app.memory.events[0]!))).toStrictEqual({ ...app.memory.events[0]! });
    expect(eventJson(app.memory.events[0]!)).not.toContain('secret');
    expect(app.reports).toStrictEqual([]);
  });

  it.each<[string, unknown]>([
    ['an empty string', ''],
    ['NaN', Number.NaN],
    ['infinity', Infinity],
    ['nothing', undefined],
    ['null', null],
    ['an object whose string is empty', { toString: () => '' }],
  ])('is not known yet, and asked for again, while it is %s', async (_what, unknownId) => {
    const app = await usersOf(
      [userWith(unknownId), userWith(unknownId), userWith('ada'), userWith('bob')],
      request,
    );
    expect(framesOf(app)).toStrictEqual([undefined, undefined, { id: 'ada' }, { id: 'ada' }]);
    expect(app.reports).toStrictEqual([]);
  });

  it('that cannot be read is reported once, and asked for again', async () => {
    const broken = {
      toJSON: () => {
        throw new Error('detached');
      },
      toString: () => {
        throw new Error('detached');
      },
    };
    const app = await usersOf([userWith(broken), userWith(broken), userWith('ada')], request);
    expect(framesOf(app)).toStrictEqual([undefined, undefined, { id: 'ada' }]);
    expect(app.reports).toMatchObject([{ code: 'callback_failed', path: 'request.user' }]);
  });
});

describe('an object that is no id', () => {
  it.each<[string, () => unknown]>([
    ['a plain object', () => ({ nested: true })],
    ['an object without a prototype', () => Object.assign(Object.create(null) as object, { a: 1 })],
    ['a list', () => [1, 2]],
    ['true', () => true],
    ['a function', () => () => 1],
  ])('leaves nobody in request.user: %s', async (_what, make) => {
    const app = await usersOf([{ id: make() }, { id: 'ada' }]);
    expect(framesOf(app)).toStrictEqual([undefined, { id: 'ada' }]);
    expect(app.reports).toStrictEqual([]);
  });
});

describe('a frame that a function returns', () => {
  it('keeps its other fields, and has its id as a string', async () => {
    const app = await usersOf([{ id: new ObjectId(), plan: 'pro', team: new ObjectId() }], {
      user: ({ user }) => user as object,
    });
    expect(framesOf(app)).toStrictEqual([{ id: HEX, plan: 'pro', team: HEX }]);
  });

  it('may be an id for the session as well', async () => {
    const app = await startExpress(
      (web, tracker) => {
        web.get('/', (_incoming, response) => {
          tracker.emit('seen');
          response.send('ok');
        });
      },
      { request: { session: () => new ObjectId() } },
    );
    await app.send('/');
    // What the app's own function returns is taken as it is.
    expect(app.memory.events[0]?.context['session']).toStrictEqual({ id: HEX });
    expect(app.reports).toStrictEqual([]);
  });

  it('is nobody else at the next request', async () => {
    const app = await startExpress((web, tracker) => {
      web.get('/:user', (incoming, response) => {
        Object.assign(incoming, {
          user: { id: incoming.params.user === 'nobody' ? '' : incoming.params.user },
        });
        tracker.emit('seen');
        response.send('ok');
      });
    });
    for (const user of ['ada', 'nobody', 'bob', 'nobody']) {
      await app.send(`/${user}`);
    }
    expect(framesOf(app)).toStrictEqual([{ id: 'ada' }, undefined, { id: 'bob' }, undefined]);
  });
});

describe.each(ADAPTERS)('the default user of Nest on %s', (adapter) => {
  @Controller()
  class Users {
    constructor(@InjectTracker() private readonly tracker: Tracker) {}

    @Get()
    users(@Req() request: { user?: unknown }): string {
      for (const id of ['', Number.NaN, new ObjectId(), 'bob']) {
        request.user = { id };
        this.tracker.emit('seen');
      }
      return 'ok';
    }
  }

  it('is asked for until its id is known, and is its string', async () => {
    const app = await nestApp(adapter).controllers(Users).start();
    await app.visit('/');
    expect(app.memory.events.map(({ context }) => context['user'])).toStrictEqual([
      undefined,
      undefined,
      { id: HEX },
      { id: HEX },
    ]);
    expect(app.reports).toStrictEqual([]);
  });
});

interface Shop extends TrackedApp {
  readonly summaries: RequestSummary[];
  readonly sessions: ReturnType<typeof browserSessions>;
  /** The session of the events so far. */
  frames(): unknown[];
  /** Emits in the latest request, after its end. */
  late(): void;
}

/** An Express app with sessions, a page that only reads them and a cart that writes. */
async function shop(options: SessionOptions = {}, request: RequestOptions = {}): Promise<Shop> {
  const sessions = browserSessions(options);
  const summaries: RequestSummary[] = [];
  let late = (): void => undefined;
  const app = await startExpress(
    (web, tracker) => {
      web.use((incoming, response, next) => {
        sessions.middleware(incoming as SessionRequest, response, next);
      });
      web.use((_incoming, _response, next) => {
        const inScope = AsyncLocalStorage.snapshot();
        late = () => {
          inScope(() => {
            tracker.emit('late');
          });
        };
        next();
      });
      web.get('/page', (_incoming, response) => {
        tracker.emit('page');
        response.send('ok');
      });
      web.get('/cart', (incoming, response) => {
        untyped<Record<string, unknown>>((incoming as SessionRequest).session)['cart'] = 1;
        tracker.emit('cart');
        response.cookie('theme', 'dark').send('ok');
      });
      web.get('/login', (incoming, response) => {
        (incoming as SessionRequest).session?.regenerate(() => {
          untyped<Record<string, unknown>>((incoming as SessionRequest).session)['user'] = 'ada';
          tracker.emit('login');
          response.send('ok');
        });
      });
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
  return {
    ...app,
    summaries,
    sessions,
    frames: () => app.memory.events.map(({ context }) => context['session']),
    late: () => {
      late();
    },
  };
}

const cookieOf = (answer: { headers: { 'set-cookie'?: string[] | undefined } }): string =>
  (answer.headers['set-cookie'] ?? []).map((cookie) => cookie.split(';')[0]).join('; ');

const idOf = (cookie: string): string => /s:(.+)\./.exec(decodeURIComponent(cookie))?.[1] ?? '';

describe('a session of the browser', () => {
  it('is none while it is new and unsaved: visitors without cookies have none', async () => {
    const app = await shop();
    for (let visit = 1; visit <= 3; visit++) {
      const answer = await app.send('/page');
      expect(answer.headers['set-cookie']).toBeUndefined();
      await until(() => app.summaries.length === visit);
    }
    expect(app.frames()).toStrictEqual([undefined, undefined, undefined]);
    expect(app.summaries.map(({ context }) => context['session'])).toStrictEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(app.sessions.store.size).toBe(0);
    expect(app.reports).toStrictEqual([]);
  });

  it('is there as soon as the client was sent it, under one id from then on, which opens nothing', async () => {
    const app = await shop();
    const answer = await app.send('/cart');
    await until(() => app.summaries.length === 1);
    const cookie = cookieOf(answer);
    const id = idOf(cookie);
    expect(app.sessions.store.has(id)).toBe(true);
    // Not yet when the handler ran, but at the end.
    expect(app.frames()).toStrictEqual([undefined]);
    expect(app.summaries[0]?.context['session']).toStrictEqual(recorded(id));
    app.late();
    for (let visit = 1; visit <= 2; visit++) {
      await app.send('/page', { headers: { cookie } });
    }
    expect(app.frames()).toStrictEqual([undefined, recorded(id), recorded(id), recorded(id)]);
    const recordedId = (recorded(id) as { id: string }).id;
    expect(recordedId).toMatch(/^[\w-]{22}$/);
    for (const event of app.memory.events) {
      expect(eventJson(event)).not.toContain(id);
    }
  });

  it('is there in late events of the request that sent it, also where nobody waits for its end', async () => {
    const app = await shop({}, { onEnd: () => undefined });
    const answer = await app.send('/cart');
    await turns(10);
    app.late();
    expect(app.frames()).toStrictEqual([undefined, recorded(idOf(cookieOf(answer)))]);
  });

  it('is a new one, and none, when the one of the cookie is gone', async () => {
    const app = await shop();
    const cookie = cookieOf(await app.send('/cart'));
    app.sessions.store.clear();
    app.memory.clear();
    await app.send('/page', { headers: { cookie } });
    await app.send('/page', { headers: { cookie: cookie.replace(/.$/, 'x') } });
    expect(app.frames()).toStrictEqual([undefined, undefined]);
  });

  it('is sent at once where new ones are saved, and known at the end', async () => {
    const app = await shop({ saveUninitialized: true });
    const id = idOf(cookieOf(await app.send('/page')));
    await until(() => app.summaries.length === 1);
    expect(app.frames()).toStrictEqual([undefined]);
    expect(app.summaries[0]?.context['session']).toStrictEqual(recorded(id));
  });

  it.each(['a/b+c=', 'ü ;,"', 'a%2Fb', 'x.y.z'])('may have any id: %s', async (id) => {
    const app = await shop({ genid: () => id });
    const cookie = cookieOf(await app.send('/cart'));
    await app.send('/page', { headers: { cookie } });
    expect(app.frames()).toStrictEqual([undefined, recorded(id)]);
  });

  it.each([
    ['a cookie of another name that has it inside', 'tab=1337'],
    ['a longer value', 'connect.sid=s%3A133.abc'],
    ['the name of a cookie', '33=1'],
    ['a signature', 'connect.sid=s%3Aother.33'],
  ])('is not taken for known because of %s', async (_what, cookie) => {
    const app = await shop({ genid: () => '33' });
    await app.send('/page', { headers: { cookie } });
    expect(app.frames()).toStrictEqual([undefined]);
  });

  it('is found beside other cookies, under any name', async () => {
    const app = await shop({ name: '__Host-shop' });
    const cookie = cookieOf(await app.send('/cart'));
    const id = idOf(cookie);
    app.memory.clear();
    await app.send('/page', { headers: { cookie: `a=1; ${cookie}; z=2` } });
    expect(app.frames()).toStrictEqual([recorded(id)]);
  });

  it('is none at a login that changes its id, until the new one was sent', async () => {
    const app = await shop();
    const before = cookieOf(await app.send('/cart'));
    app.memory.clear();
    const after = cookieOf(await app.send('/login', { headers: { cookie: before } }));
    expect(idOf(after)).not.toBe(idOf(before));
    await app.send('/page', { headers: { cookie: after } });
    expect(app.frames()).toStrictEqual([undefined, recorded(idOf(after))]);
  });

  it('is whatever the app says instead', async () => {
    const app = await shop({}, { session: (source) => untyped<SessionRequest>(source).sessionID });
    await app.send('/page');
    expect(app.frames()).toStrictEqual([{ id: expect.stringMatching(/^[\w-]{32}$/) }]);
  });
});

describe('another kind of session', () => {
  it.each<[string, object, object | undefined]>([
    ['one that has an id and nothing to save', { session: { id: 'abc' } }, recorded('abc')],
    ['an id of the request alone', { sessionID: 'def' }, recorded('def')],
    ['both', { session: { id: 'abc' }, sessionID: 'def' }, recorded('abc')],
    ['an ObjectId', { session: { id: new ObjectId() } }, recorded(HEX)],
    ['a number', { session: { id: 7 } }, recorded('7')],
    ['an empty id', { session: { id: '' }, sessionID: '' }, undefined],
    ['NaN', { session: { id: Number.NaN } }, undefined],
    ['no id', { session: { cart: 1 } }, undefined],
    ['none', { session: null }, undefined],
  ])('is recorded as a hash: %s', async (_what, decoration, expected) => {
    const app = await startExpress((web, tracker) => {
      web.get('/', (incoming, response) => {
        Object.assign(incoming, decoration);
        tracker.emit('seen');
        response.send('ok');
      });
    });
    await app.send('/');
    expect(app.memory.events.map(({ context }) => context['session'])).toStrictEqual([expected]);
    expect(app.reports).toStrictEqual([]);
  });

  it('is asked for again while its id is empty', async () => {
    const app = await startExpress((web, tracker) => {
      web.get('/', (incoming, response) => {
        for (const id of ['', Number.NaN, 'abc', 'def']) {
          Object.assign(incoming, { session: { id } });
          tracker.emit('seen');
        }
        response.send('ok');
      });
    });
    await app.send('/');
    expect(app.memory.events.map(({ context }) => context['session'])).toStrictEqual([
      undefined,
      undefined,
      recorded('abc'),
      recorded('abc'),
    ]);
  });
});

describe.each(ADAPTERS)('sessions of the browser in Nest on %s', (adapter) => {
  @Controller()
  class Shopping {
    constructor(@InjectTracker() private readonly tracker: Tracker) {}

    @Get('page')
    page(): string {
      this.tracker.emit('page');
      return 'ok';
    }

    @Get('cart')
    cart(@Req() request: SessionRequest & { raw?: SessionRequest }): string {
      untyped<Record<string, unknown>>((request.raw ?? request).session)['cart'] = 1;
      this.tracker.emit('cart');
      return 'ok';
    }
  }

  it('are none while they are new, and one id from then on', async () => {
    const sessions = browserSessions();
    const summaries: RequestSummary[] = [];
    const app = await nestApp(adapter)
      .controllers(Shopping)
      .tracking({
        request: {
          onEnd: (summary) => {
            summaries.push(summary);
          },
        },
      })
      .with((nest) => nest.use(sessions.middleware))
      .start();
    await app.visit('/page');
    await app.visit('/page');
    const answer = await app.fetch('/cart');
    await answer.text();
    const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    const id = idOf(cookie);
    expect(sessions.store.has(id)).toBe(true);
    await until(() => summaries.length === 3);
    await app.visit('/page', { headers: { cookie } });
    await app.visit('/page', { headers: { cookie } });
    expect(app.memory.events.map(({ context }) => context['session'])).toStrictEqual([
      undefined,
      undefined,
      undefined,
      recorded(id),
      recorded(id),
    ]);
    expect(summaries.slice(0, 3).map(({ context }) => context['session'])).toStrictEqual([
      undefined,
      undefined,
      recorded(id),
    ]);
  });
});
