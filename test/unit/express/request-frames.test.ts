import { describe, expect, it } from '@jest/globals';
import type { IncomingRequest } from '../../../lib/express/incoming-request.js';
import { RequestFrames } from '../../../lib/express/request-frames.js';
import type { RequestOptions, RequestSource } from '../../../lib/express/request-options.js';
import { resolveRequestOptions } from '../../../lib/express/request-options.js';
import type { Recording } from '../../support/recording.js';
import { inside, record, untyped } from '../../support/recording.js';

type Source = { -readonly [Key in keyof RequestSource]: RequestSource[Key] };

interface Framed extends Recording {
  readonly frames: RequestFrames;
  /** The request, as frameworks decorate it on the way. */
  readonly source: Source;
}

function framed(
  options: RequestOptions = {},
  raw: IncomingRequest | undefined = { method: 'GET', url: '/a', headers: {} },
): Framed {
  const run = record();
  const { factory, reporter, nextId } = inside(run.tracker).runtime.services;
  const source: Source = { ...raw };
  const frames = new RequestFrames(
    { options: resolveRequestOptions(options), factory, reporter, nextId },
    raw,
    source,
  );
  return { ...run, frames, source };
}

describe('the frames of a request', () => {
  it('hold the request alone while nothing else is known', () => {
    const { frames } = framed();
    expect(frames.get()).toStrictEqual({
      request: { id: expect.any(String), method: 'GET', path: '/a' },
    });
  });

  it('are frozen and the same while nothing changes', () => {
    const { frames } = framed();
    const first = frames.get();
    expect(frames.get()).toBe(first);
    expect(Object.isFrozen(first)).toBe(true);
    expect(Object.isFrozen(first['request'])).toBe(true);
  });

  it('are not made before somebody asks', () => {
    let asked = 0;
    const { frames } = framed({
      enrich: () => ({ asked: ++asked }),
    });
    expect(asked).toBe(0);
    frames.get();
    frames.get();
    expect(asked).toBe(1);
  });

  it('ask for user and session again until they answer, and then no more', () => {
    const asked = { user: 0, session: 0 };
    const { frames, source } = framed({
      user: ({ user }) => {
        asked.user++;
        return user as string | undefined;
      },
      session: ({ session }) => {
        asked.session++;
        return session as string | undefined;
      },
    });
    frames.get();
    source.user = 'ann';
    expect(frames.get()).toMatchObject({ user: { id: 'ann' } });
    source.user = 'bob';
    source.session = 's1';
    expect(frames.get()).toMatchObject({
      user: { id: 'ann' },
      session: { id: 's1' },
    });
    frames.get();
    expect(asked).toStrictEqual({ user: 2, session: 3 });
  });

  it.each<[unknown, unknown]>([
    [{ id: 7, email: 'secret' }, { id: 7 }],
    [{ sub: 'ann' }, { id: 'ann' }],
    [{ userId: 'ann' }, { id: 'ann' }],
    [{ id: 7n }, { id: '7' }],
    [{ id: { hex: 'x' } }, undefined],
    ['ann', undefined],
    [null, undefined],
  ])('by default make of the user %p %p', (user, expected) => {
    const { frames, source } = framed();
    source.user = user;
    expect(frames.get()['user']).toStrictEqual(expected);
  });

  it.each<[Source, unknown]>([
    [{ session: { id: 's1', cart: [] } }, { id: 's1' }],
    [{ sessionID: 's2' }, { id: 's2' }],
    [{ session: { id: 's1' }, sessionID: 's2' }, { id: 's1' }],
    [{ session: null }, undefined],
  ])('by default make of the session %p %p', (decorated, expected) => {
    const { frames, source } = framed();
    Object.assign(source, decorated);
    expect(frames.get()['session']).toStrictEqual(expected);
  });

  it('take an object with an id as it is, cleaned', () => {
    const { frames, reports } = framed({
      user: () => ({ id: 7, since: new Date(0), plan: 'pro' }),
    });
    expect(frames.get()['user']).toStrictEqual({
      id: 7,
      since: '1970-01-01T00:00:00.000Z',
      plan: 'pro',
    });
    expect(reports).toStrictEqual([]);
  });

  it.each<[string, unknown]>([
    ['an object without an id', { name: 'ann' }],
    ['a boolean', true],
    ['a promise', Promise.resolve('ann')],
    ['a rejected promise', Promise.reject(new Error('no'))],
  ])('leave out a user that is %s, and say so once', (_what, answer) => {
    const { frames, reports } = framed({ user: () => untyped(answer) });
    expect(frames.get()).not.toHaveProperty('user');
    frames.get();
    expect(reports).toMatchObject([{ code: 'callback_failed', path: 'request.user' }]);
  });

  it('leave out what a function that throws would have answered', () => {
    const error = new Error('no');
    const fail = (): never => {
      throw error;
    };
    const { frames, reports } = framed({ session: fail, user: () => 'ann' });
    expect(frames.get()).toMatchObject({ user: { id: 'ann' } });
    expect(reports).toMatchObject([{ path: 'request.session', error }]);
  });

  it('add to the request what enrich answers', () => {
    const { frames } = framed({
      enrich: ({ method }) => ({ verb: method, path: 'mine' }),
    });
    expect(frames.get()['request']).toMatchObject({
      method: 'GET',
      verb: 'GET',
      path: 'mine',
    });
  });

  it.each<[string, RequestOptions['enrich']]>([
    ['answers nothing', () => undefined],
    ['answers null', () => null],
  ])('are complete when enrich %s', (_what, enrich) => {
    const { frames, reports } = framed({ enrich: enrich as () => undefined });
    expect(frames.get()['request']).toMatchObject({ path: '/a' });
    expect(reports).toStrictEqual([]);
  });

  it.each<[string, () => unknown]>([
    ['throws', () => untyped<() => string>(undefined)()],
    ['answers a promise', () => Promise.reject(new Error('no'))],
  ])('are complete when enrich %s, which is reported', (_what, enrich) => {
    const { frames, reports } = framed({ enrich: untyped(enrich) });
    expect(frames.get()['request']).toMatchObject({ path: '/a' });
    expect(reports).toMatchObject([{ path: 'request.enrich' }]);
  });

  it('have the id that requestId answers', () => {
    const { frames } = framed({ requestId: () => 'x'.repeat(600) });
    expect(frames.get()['request']).toMatchObject({ id: 'x'.repeat(512) });
  });

  it.each<[string, () => unknown, number]>([
    ['answers nothing', () => undefined, 0],
    ['answers an empty text', () => '', 0],
    ['answers a number', () => 7, 0],
    ['throws', () => untyped<() => string>(undefined)(), 1],
    ['answers a promise', () => Promise.reject(new Error('no')), 1],
  ])('have an id of ours when requestId %s', (_what, requestId, reported) => {
    const { frames, reports } = framed({ requestId: untyped(requestId) });
    expect(frames.get()['request']).toMatchObject({
      id: expect.stringMatching(/^[\da-f]{8}-[\da-f]{4}-7/),
    });
    expect(reports.map(({ path }) => path)).toStrictEqual(
      Array.from({ length: reported }, () => 'request.requestId'),
    );
  });

  it('learn the route when the framework has matched one', () => {
    const { frames, source } = framed();
    expect(frames.get()['request']).not.toHaveProperty('route');
    source.route = { path: '/:id' };
    source.baseUrl = '/a';
    expect(frames.get()['request']).toMatchObject({ route: '/a/:id' });
  });

  it('tell the route that matched last', () => {
    const { frames, source } = framed();
    source.route = { path: '/{*all}' };
    expect(frames.get()['request']).toMatchObject({ route: '/{*all}' });
    source.route = { path: '/orders/:id' };
    const later = frames.get();
    expect(later['request']).toMatchObject({ route: '/orders/:id' });
    expect(frames.get()).toBe(later);
  });

  it('keep the route when Express forgets it', () => {
    const { frames, source } = framed();
    source.route = { path: '/a' };
    frames.get();
    delete source.route;
    expect(frames.get()['request']).toMatchObject({ route: '/a' });
  });

  it('say how the request ended', () => {
    const { frames } = framed();
    const before = frames.get();
    frames.ended({ status: 200, durationMs: 5 });
    expect(frames.get()['request']).toStrictEqual({
      ...(before['request'] as object),
      status: 200,
      durationMs: 5,
    });
  });

  it('say where in the code they are, and hand the execution on', () => {
    const executions: unknown[] = [];
    const { frames } = framed({
      user: (_source, execution) => {
        executions.push(execution);
        return undefined;
      },
    });
    frames.get();
    frames.handler = { kind: 'http', class: 'Orders', method: 'create' };
    frames.execution = 'execution';
    expect(frames.get()['handler']).toStrictEqual({
      kind: 'http',
      class: 'Orders',
      method: 'create',
    });
    expect(executions).toStrictEqual([undefined, 'execution']);
  });

  it('hold no request on transports without one', () => {
    const run = record();
    const { factory, reporter, nextId } = inside(run.tracker).runtime.services;
    const frames = new RequestFrames(
      { options: resolveRequestOptions(), factory, reporter, nextId },
      undefined,
      { user: { id: 7 } },
    );
    expect(frames.get()).toStrictEqual({ user: { id: 7 } });
  });

  it('do not ask a function that asks for them itself', () => {
    let asked = 0;
    const { frames } = framed({
      user: () => {
        asked++;
        expect(frames.get()).toStrictEqual({});
        return 'ann';
      },
    });
    expect(frames.get()).toMatchObject({ user: { id: 'ann' } });
    expect(asked).toBe(1);
  });

  it('survive a request that cannot be read', () => {
    const error = new Error('unreadable');
    const raw = {
      get headers(): never {
        throw error;
      },
    };
    const run = record();
    const { factory, reporter, nextId } = inside(run.tracker).runtime.services;
    const frames = new RequestFrames(
      { options: resolveRequestOptions(), factory, reporter, nextId },
      raw,
      {},
    );
    expect(frames.get()).toStrictEqual({});
    expect(run.reports).toMatchObject([{ path: 'request', error }]);
  });
});
