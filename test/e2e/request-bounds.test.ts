import { AsyncLocalStorage } from 'node:async_hooks';
import http from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventBytes } from 'nestjs-tracking/core';
import type { RequestOptions } from 'nestjs-tracking/express';
import type { FakeClock } from 'nestjs-tracking/testing';
import { fakeClock } from 'nestjs-tracking/testing';
import type { TrackedApp, TrackedAppOptions } from '../support/express-app.js';
import { closeApps, startExpress } from '../support/express-app.js';
import { turns, until } from '../support/http-app.js';
import type { Deferred } from '../support/recording.js';
import { deferred } from '../support/recording.js';

afterEach(closeApps);

interface Holding extends TrackedApp {
  readonly clock: FakeClock;
  /** A request that emits events of these names and stays open. Names of three characters make events of one size. */
  hold(...names: string[]): Promise<OpenRequest>;
}

interface OpenRequest {
  readonly inScope: <T>(run: () => T) => T;
  emit(...names: string[]): void;
  /** Ends it, with its status. */
  end(status?: number): Promise<void>;
  /** Its client goes away. */
  abort(): Promise<void>;
}

const payload = { text: 'x'.repeat(200) };
const headers = { host: 'shop', 'user-agent': 'test' };

/** An app whose requests the test keeps open. */
async function holding(
  request: RequestOptions,
  tracker: TrackedAppOptions['tracker'] = {},
): Promise<Holding> {
  const clock = fakeClock();
  const work = new Map<
    string,
    { inScope: <T>(run: () => T) => T; gate: Deferred<number>; closed: Deferred }
  >();
  const app = await startExpress(
    (web) => {
      web.get('/:id', async (incoming, response) => {
        const [gate, closed] = [deferred<number>(), deferred()];
        response.once('close', closed.resolve);
        work.set(incoming.params.id, { inScope: AsyncLocalStorage.snapshot(), gate, closed });
        response.status(await gate.promise).send('ok');
      });
    },
    { request, tracker: { clock, ...tracker } },
  );
  let requests = 0;
  return {
    ...app,
    clock,
    hold: async (...names) => {
      const id = `r${String(++requests).padStart(2, '0')}`;
      const agent = new http.Agent();
      const answer = app.send(`/${id}`, { headers, agent }).catch(() => undefined);
      await until(() => work.has(id));
      const { inScope, gate, closed } = work.get(id)!;
      const over = async (): Promise<void> => {
        await answer;
        await closed.promise;
        await turns();
      };
      const open: OpenRequest = {
        inScope,
        emit: (...more) => {
          for (const name of more) {
            inScope(() => {
              app.tracker.emit(name, payload);
            });
          }
        },
        end: async (status = 200) => {
          gate.resolve(status);
          await over();
        },
        abort: async () => {
          agent.destroy();
          await over();
        },
      };
      open.emit(...names);
      return open;
    },
  };
}

/** Bytes of one event that a request holds. */
async function sizeOfOne(): Promise<number> {
  const app = await holding({ hold: true });
  const one = await app.hold();
  await one.inScope(() => app.tracker.emitAsync('a01', payload));
  await one.end();
  return eventBytes(app.memory.events[0]!);
}

/** What reached the backend: the names, and the status that was known then. */
function delivered({ memory }: TrackedApp): readonly unknown[] {
  return memory.events.map(({ name, context }) => [name, (context['request'] as { status?: number }).status]);
}

describe('what all requests hold together', () => {
  it('is bounded by limits.pendingBytes, which may be filled exactly', async () => {
    const size = await sizeOfOne();
    const app = await holding({ hold: true }, { limits: { pendingBytes: 4 * size } });
    const one = await app.hold('a01', 'a02');
    const two = await app.hold('b01', 'b02');
    expect(delivered(app)).toStrictEqual([]);
    const three = await app.hold('c01');
    expect(delivered(app)).toStrictEqual([['c01', undefined]]);
    await one.end(201);
    await two.end(404);
    await three.end();
    expect(delivered(app)).toStrictEqual([
      ['c01', undefined],
      ['a01', 201],
      ['a02', 201],
      ['b01', 404],
      ['b02', 404],
    ]);
    expect(app.tracker.stats()).toMatchObject({ accepted: 5, dropped: {} });
    expect(app.reports).toStrictEqual([]);
  });

  it('is one byte too much: all that this request holds leaves at once, in order', async () => {
    const size = await sizeOfOne();
    const app = await holding({ hold: true }, { limits: { pendingBytes: 4 * size - 1 } });
    const one = await app.hold('a01', 'a02');
    const two = await app.hold('b01', 'b02');
    expect(delivered(app)).toStrictEqual([
      ['b01', undefined],
      ['b02', undefined],
    ]);
    await one.end();
    await two.end();
    expect(delivered(app).slice(2)).toStrictEqual([
      ['a01', 200],
      ['a02', 200],
    ]);
  });

  it('is bounded for one request alone, too', async () => {
    const size = await sizeOfOne();
    const app = await holding({ hold: true }, { limits: { pendingBytes: 3 * size } });
    const one = await app.hold('a01', 'a02', 'a03');
    expect(delivered(app)).toStrictEqual([]);
    one.emit('a04');
    expect(app.memory.events.map(({ name }) => name)).toStrictEqual(['a01', 'a02', 'a03', 'a04']);
    const two = await app.hold('b01', 'b02', 'b03');
    expect(app.memory.events).toHaveLength(4);
    await two.end();
    expect(delivered(app).slice(4)).toStrictEqual([
      ['b01', 200],
      ['b02', 200],
      ['b03', 200],
    ]);
    await one.end();
  });

  it('leaves unasked: keep decides over the rest alone, once a request', async () => {
    const size = await sizeOfOne();
    let asked = 0;
    const keep = (): boolean => {
      asked++;
      return false;
    };
    const app = await holding({ keep }, { limits: { pendingBytes: 2 * size } });
    const one = await app.hold('a01', 'a02', 'a03');
    expect(delivered(app)).toStrictEqual([
      ['a01', undefined],
      ['a02', undefined],
      ['a03', undefined],
    ]);
    one.emit('a04', 'a05');
    await one.end();
    expect(app.memory.events).toHaveLength(3);
    expect(app.tracker.stats().dropped).toStrictEqual({ outcome: 2 });
    expect(asked).toBe(1);
  });

  it.each<[string, RequestOptions, (one: OpenRequest, app: Holding) => Promise<void>]>([
    ['ends and is kept', { hold: true }, (one) => one.end()],
    ['ends and is not kept', { keep: () => false }, (one) => one.end()],
    ['is aborted', { hold: true }, (one) => one.abort()],
    ['holds for too long', { hold: { maxMs: 5_000 } }, (_one, app) => app.clock.advance(5_000)],
  ])('makes room when a request %s', async (_how, request, finish) => {
    const size = await sizeOfOne();
    const app = await holding(request, { limits: { pendingBytes: 2 * size } });
    for (let round = 0; round < 3; round++) {
      const one = await app.hold('a01', 'a02');
      await finish(one, app);
      app.memory.clear();
      const two = await app.hold('b01', 'b02');
      expect(delivered(app)).toStrictEqual([]);
      const three = await app.hold('c01');
      expect(delivered(app)).toStrictEqual([['c01', undefined]]);
      await Promise.all([one.end(), two.end(), three.end()]);
    }
  });

  it('makes room when the oldest leaves beyond maxEvents', async () => {
    const size = await sizeOfOne();
    const app = await holding({ hold: { maxEvents: 1 } }, { limits: { pendingBytes: 2 * size } });
    const one = await app.hold('a01', 'a02', 'a03');
    expect(delivered(app)).toStrictEqual([
      ['a01', undefined],
      ['a02', undefined],
    ]);
    const two = await app.hold('b01');
    expect(app.memory.events).toHaveLength(2);
    const three = await app.hold('c01');
    expect(delivered(app)[2]).toStrictEqual(['c01', undefined]);
    await Promise.all([one.end(), two.end(), three.end()]);
  });

  it('does not count what is emitted with emitAsync, or too late to be held', async () => {
    const size = await sizeOfOne();
    const app = await holding({ hold: true }, { limits: { pendingBytes: 2 * size } });
    const one = await app.hold();
    await one.inScope(() => app.tracker.emitAsync('x01', payload));
    await one.end();
    one.emit('x02', 'x03', 'x04');
    expect(delivered(app)).toStrictEqual([
      ['x01', undefined],
      ['x02', 200],
      ['x03', 200],
      ['x04', 200],
    ]);
    app.memory.clear();
    const two = await app.hold('b01', 'b02');
    expect(delivered(app)).toStrictEqual([]);
    await two.end();
  });

  it('stays small while many large requests are open', async () => {
    const app = await holding({ keep: () => false }, { limits: { pendingBytes: 64 * 1024 } });
    const open: OpenRequest[] = [];
    for (let n = 0; n < 20; n++) {
      open.push(await app.hold(...Array.from({ length: 50 }, () => 'e00')));
    }
    const size = eventBytes(app.memory.events[0]!);
    expect((20 * 50 - app.memory.events.length) * size).toBeLessThanOrEqual(64 * 1024);
    await Promise.all(open.map((one) => one.end()));
    const { accepted, dropped } = app.tracker.stats();
    expect(accepted + (dropped['outcome'] ?? 0)).toBe(20 * 50);
  });
});
