import { describe, expect, it, jest } from '@jest/globals';
import type { Backend, TimeBudget } from '../../../lib/core/backend.js';
import type { BackendStats } from '../../../lib/core/stats.js';
import { memoryBackend } from '../../../lib/testing/memory-backend.js';
import type { Recording } from '../../support/recording.js';
import { deferred, inside, record, untyped } from '../../support/recording.js';

const nothing = { settled: true, pending: 0 };
const hang = (): Promise<never> => new Promise(() => undefined);

/** Whether a promise settled without any time passing. */
async function isSettled(run: Recording, promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  await run.clock.advance(0);
  return settled;
}

/** A backend that takes events at once and delivers them when it is told to. */
function delivering(): Backend & {
  deliver(count: number): void;
  stats(): BackendStats;
} {
  let accepted = 0;
  let delivered = 0;
  const waiting: (() => void)[] = [];
  return {
    send: () => {
      accepted++;
    },
    deliver: (count) => {
      delivered += count;
      waiting.forEach((check) => {
        check();
      });
    },
    flush: () => {
      const target = accepted;
      return new Promise((resolve) => {
        const check = (): void => {
          if (delivered >= target) {
            resolve();
          }
        };
        waiting.push(check);
        check();
      });
    },
    stats: () => ({
      accepted,
      delivered,
      retried: 0,
      dead: 0,
      dropped: {},
      depth: accepted - delivered,
      state: 'ok',
    }),
  };
}

describe('flush', () => {
  it('has nothing to do for backends that deliver at once', async () => {
    const run = record();
    run.tracker.emit('x');
    await expect(run.tracker.flush()).resolves.toStrictEqual(nothing);
    await expect(record({ backends: {} }).tracker.flush()).resolves.toStrictEqual(nothing);
  });

  it('waits for processors and sends under way', async () => {
    const [processed, sent] = [deferred(), deferred()];
    const run = record({
      processors: [() => processed.promise],
      backends: { slow: { send: () => sent.promise } },
    });
    run.tracker.emit('x');
    const flush = run.tracker.flush();
    expect(await isSettled(run, flush)).toBe(false);
    processed.resolve();
    expect(await isSettled(run, flush)).toBe(false);
    sent.resolve();
    await expect(flush).resolves.toStrictEqual(nothing);
  });

  it('waits for what its backends accepted, and not for what came after the call', async () => {
    const backend = delivering();
    const run = record({ backends: { backend } });
    run.tracker.emit('a');
    run.tracker.emit('b');
    const flush = run.tracker.flush();
    expect(await isSettled(run, flush)).toBe(false);
    run.tracker.emit('later');
    backend.deliver(1);
    expect(await isSettled(run, flush)).toBe(false);
    backend.deliver(1);
    await expect(flush).resolves.toStrictEqual(nothing);
    expect(run.tracker.stats().backends['backend']?.depth).toBe(1);
  });

  it('does not wait for sends that began after the call', async () => {
    const gates = [deferred(), deferred()];
    let next = 0;
    const run = record({
      backends: {
        slow: { send: () => gates[next++]?.promise ?? Promise.resolve() },
      },
    });
    run.tracker.emit('a');
    const flush = run.tracker.flush();
    run.tracker.emit('later');
    gates[0]?.resolve();
    await expect(flush).resolves.toStrictEqual(nothing);
  });

  it('reaches events that are still with a processor when it is called', async () => {
    const gate = deferred();
    const backend = delivering();
    const run = record({
      processors: [() => gate.promise],
      backends: { backend },
    });
    run.tracker.emit('a');
    const flush = run.tracker.flush();
    gate.resolve();
    expect(await isSettled(run, flush)).toBe(false);
    backend.deliver(1);
    await expect(flush).resolves.toStrictEqual(nothing);
  });

  it('ends when its time is up, and says how much is left', async () => {
    const run = record({
      backends: { backend: delivering(), slow: { send: hang } },
    });
    run.tracker.emit('a');
    run.tracker.emit('b');
    const flush = run.tracker.flush({ timeoutMs: 1_000 });
    await run.clock.advance(999);
    expect(await isSettled(run, flush)).toBe(false);
    await run.clock.advance(1);
    await expect(flush).resolves.toStrictEqual({ settled: false, pending: 4 });
    expect(run.reports).toMatchObject([{ code: 'timeout', path: 'backend' }]);
  });

  it('has 10 s unless told otherwise', async () => {
    const run = record({ backends: { slow: { send: hang } } });
    run.tracker.emit('a');
    const flush = run.tracker.flush();
    await run.clock.advance(9_999);
    expect(await isSettled(run, flush)).toBe(false);
    await run.clock.advance(1);
    await expect(flush).resolves.toStrictEqual({ settled: false, pending: 1 });
  });

  it('lets one backend that hangs take no time from another', async () => {
    const budgets: number[] = [];
    const other: Backend = {
      send: () => undefined,
      flush: (budget) => Promise.resolve(void budgets.push(budget?.timeoutMs ?? -1)),
    };
    const run = record({ backends: { stuck: { send: hang }, other } });
    run.tracker.emit('a');
    const flush = run.tracker.flush({ timeoutMs: 1_000 });
    await run.clock.advance(1_000);
    await flush;
    expect(budgets).toStrictEqual([500]);
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ])("never rejects: a backend's flush that %s is reported", async (_, flush) => {
    const other = jest.fn(() => Promise.resolve());
    const run = record({
      backends: {
        bad: { send: () => undefined, flush: untyped(flush) },
        other: { send: () => undefined, flush: other },
      },
    });
    await expect(run.tracker.flush()).resolves.toStrictEqual(nothing);
    expect(other).toHaveBeenCalledTimes(1);
    expect(run.reports).toMatchObject([
      { code: 'backend_failed', path: 'bad', error: { message: 'broken' } },
    ]);
  });

  it.each<[string, Partial<Record<keyof Backend, unknown>>]>([
    ['no function', { flush: 7 }],
    [
      'not to be read',
      Object.defineProperty({}, 'flush', {
        get: () => {
          throw new Error('no');
        },
        enumerable: true,
      }),
    ],
    ['a function without bind', { flush: Object.assign(() => Promise.resolve(), { bind: 1 }) }],
  ])('never rejects: a flush that is %s', async (what, methods) => {
    const backend = Object.defineProperties(
      { send: () => undefined },
      Object.getOwnPropertyDescriptors(methods),
    );
    const run = record({ backends: { odd: untyped(backend) } });
    await expect(run.tracker.flush()).resolves.toStrictEqual(nothing);
    expect(run.codes()).toStrictEqual(what === 'a function without bind' ? [] : ['backend_failed']);
  });

  it('takes a thenable for a promise, and anything else for done', async () => {
    const run = record({
      backends: {
        thenable: {
          send: () => undefined,
          flush: () =>
            untyped({
              then: (done: () => void) => {
                done();
              },
            }),
        },
        text: { send: () => undefined, flush: () => untyped('done') },
      },
    });
    await expect(run.tracker.flush()).resolves.toStrictEqual(nothing);
    expect(run.reports).toStrictEqual([]);
  });

  it.each<[unknown]>([
    [Number.NaN],
    [-1],
    ['1s'],
    [null],
    [
      {
        toString: () => {
          throw new Error();
        },
      },
    ],
    [Symbol('x')],
  ])('reports a time that is none and takes the default: %p', async (timeoutMs) => {
    const run = record();
    await expect(run.tracker.flush({ timeoutMs: untyped(timeoutMs) })).resolves.toStrictEqual(nothing);
    await expect(run.tracker.close({ timeoutMs: untyped(timeoutMs) })).resolves.toStrictEqual(nothing);
    expect(run.reports).toMatchObject([
      { code: 'invalid_option', message: expect.stringContaining('flush') },
      { code: 'invalid_option', message: expect.stringContaining('close') },
    ]);
  });

  it.each([[undefined], [null], [{}], [5]])('may be called with %p', async (budget) => {
    await expect(record().tracker.flush(untyped(budget))).resolves.toStrictEqual(nothing);
  });

  it('may take for ever, or no time at all', async () => {
    const gate = deferred();
    const run = record({ backends: { slow: { send: () => gate.promise } } });
    run.tracker.emit('x');
    const none = run.tracker.flush({ timeoutMs: 0 });
    await run.clock.advance(0);
    await expect(none).resolves.toStrictEqual({ settled: false, pending: 1 });
    const forever = run.tracker.flush({ timeoutMs: Infinity });
    await run.clock.advance(29_000);
    expect(await isSettled(run, forever)).toBe(false);
    gate.resolve();
    await expect(forever).resolves.toStrictEqual(nothing);
  });

  it('may be called many times at once', async () => {
    const gate = deferred();
    const run = record({ backends: { slow: { send: () => gate.promise } } });
    run.tracker.emit('x');
    const flushes = Array.from({ length: 5 }, () => run.tracker.flush());
    gate.resolve();
    await expect(Promise.all(flushes)).resolves.toStrictEqual(Array.from({ length: 5 }, () => nothing));
  });
});

describe('close', () => {
  it('flushes and closes every backend, once', async () => {
    const calls: string[] = [];
    const spy = (name: string): Backend => ({
      send: () => undefined,
      flush: () => Promise.resolve(void calls.push(`flush ${name}`)),
      close: () => Promise.resolve(void calls.push(`close ${name}`)),
    });
    const run = record({
      backends: { a: spy('a'), deep: { backends: { b: spy('b') } } },
    });
    const first = run.tracker.close();
    expect(run.tracker.close({ timeoutMs: 1 })).toBe(first);
    await expect(first).resolves.toStrictEqual(nothing);
    await run.tracker.child({}).close();
    expect(calls).toStrictEqual(['flush a', 'flush b', 'close a', 'close b']);
    expect(run.tracker.stats().backends).toMatchObject({
      a: { state: 'closed' },
      'deep/b': { state: 'closed' },
    });
  });

  it('drops later events as closed', async () => {
    const run = record();
    const closing = run.tracker.close();
    run.tracker.emit('a');
    await closing;
    run.tracker.emit('b');
    await expect(run.tracker.emitAsync('c')).resolves.toStrictEqual({
      dropped: 'closed',
      outcomes: {},
    });
    expect(run.memory.events).toHaveLength(0);
    expect(run.codes()).toStrictEqual(['closed', 'closed', 'closed']);
    expect(run.tracker.stats()).toMatchObject({
      accepted: 0,
      dropped: { closed: 3 },
    });
  });

  it('waits for processors and sends under way', async () => {
    const [processed, sent] = [deferred(), deferred()];
    const run = record({
      processors: [() => processed.promise],
      backends: { slow: { send: () => sent.promise } },
    });
    const report = run.tracker.emitAsync('x');
    const close = run.tracker.close();
    processed.resolve();
    expect(await isSettled(run, close)).toBe(false);
    sent.resolve();
    await expect(close).resolves.toStrictEqual(nothing);
    await expect(report).resolves.toMatchObject({
      outcomes: { slow: { status: 'accepted' } },
    });
  });

  it('ends within its time, whatever hangs, and leaves time to close', async () => {
    const budgets: TimeBudget[] = [];
    const stuck: Backend = { send: hang, flush: hang, close: hang };
    const fine: Backend = {
      send: () => undefined,
      close: (budget) => Promise.resolve(void budgets.push(budget ?? { timeoutMs: -1 })),
    };
    const run = record({ backends: { stuck, fine } });
    run.tracker.emit('x');
    const close = run.tracker.close({ timeoutMs: 2_000 });
    await run.clock.advance(1_999);
    expect(await isSettled(run, close)).toBe(false);
    await run.clock.advance(1);
    await expect(close).resolves.toStrictEqual({ settled: false, pending: 1 });
    expect(budgets).toStrictEqual([{ timeoutMs: 200 }]);
    expect(run.reports.map(({ code, path }) => [code, path])).toStrictEqual([
      ['timeout', 'stuck'],
      ['timeout', 'stuck'],
    ]);
  });

  it('has 8 s unless told otherwise', async () => {
    const run = record({ backends: { stuck: { send: hang } } });
    run.tracker.emit('x');
    const close = run.tracker.close();
    await run.clock.advance(7_999);
    expect(await isSettled(run, close)).toBe(false);
    await run.clock.advance(1);
    await expect(close).resolves.toStrictEqual({ settled: false, pending: 1 });
  });

  it('counts a send that ends in the very last moment', async () => {
    const gate = deferred();
    const run = record({ backends: { slow: { send: () => gate.promise } } });
    run.tracker.emit('x');
    const close = run.tracker.close({ timeoutMs: 1_000 });
    await run.clock.advance(990);
    gate.resolve();
    await expect(close).resolves.toStrictEqual(nothing);
  });

  it('says what its backends have left', async () => {
    const run = record({ backends: { backend: delivering() } });
    run.tracker.emit('a');
    run.tracker.emit('b');
    const close = run.tracker.close({ timeoutMs: 1_000 });
    await run.clock.advance(1_000);
    await expect(close).resolves.toStrictEqual({ settled: false, pending: 2 });
  });

  it('drops what comes out of a processor when the backends are closed', async () => {
    const gate = deferred();
    const send = jest.fn<Backend['send']>();
    const run = record({
      processors: [() => gate.promise],
      backends: { a: { send } },
      limits: { processorTimeoutMs: 60_000 },
    });
    const report = run.tracker.emitAsync('x');
    const close = run.tracker.close({ timeoutMs: 1_000 });
    await run.clock.advance(1_000);
    await expect(close).resolves.toStrictEqual({ settled: false, pending: 1 });
    gate.resolve();
    await expect(report).resolves.toMatchObject({
      outcomes: { a: { status: 'dropped', reason: 'closed' } },
    });
    expect(send).not.toHaveBeenCalled();
    expect(run.tracker.stats().backends['a']?.dropped).toStrictEqual({
      closed: 1,
    });
    expect(run.reports).toMatchObject([{ code: 'closed', path: 'a' }]);
  });

  it('drops what waits for room when the backends are closed', async () => {
    const gate = deferred();
    const send = jest.fn(() => gate.promise);
    const run = record({
      backends: { a: { send } },
      limits: { maxPending: 1, blockTimeoutMs: 60_000, sendTimeoutMs: 60_000 },
    });
    const [first, second] = [run.tracker.emitAsync('x'), run.tracker.emitAsync('y')];
    const close = run.tracker.close({ timeoutMs: 1_000 });
    await run.clock.advance(1_000);
    await close;
    gate.resolve();
    await expect(first).resolves.toMatchObject({
      outcomes: { a: { status: 'accepted' } },
    });
    await expect(second).resolves.toMatchObject({
      outcomes: { a: { status: 'dropped', reason: 'closed' } },
    });
    expect(send).toHaveBeenCalledTimes(1);
  });

  it('never rejects', async () => {
    const run = record({
      backends: {
        a: {
          send: () => undefined,
          close: () => {
            throw new Error('broken');
          },
        },
        b: {
          send: () => undefined,
          close: () => Promise.reject(new Error('broken')),
        },
        c: memoryBackend(),
      },
    });
    await expect(run.tracker.close()).resolves.toStrictEqual(nothing);
    expect(run.reports.map(({ code, path }) => [code, path])).toStrictEqual([
      ['backend_failed', 'a'],
      ['backend_failed', 'b'],
    ]);
  });

  it('lets go of what hosts hold before the tracker is closed, and can be told not to', async () => {
    const run = record();
    const { runtime } = inside(run.tracker);
    const forget = jest.fn();
    runtime.onClose(() => {
      run.tracker.emit('held');
    });
    runtime.onClose(forget)();
    await run.tracker.close();
    expect(run.memory.events).toMatchObject([{ name: 'held' }]);
    expect(forget).not.toHaveBeenCalled();
  });

  it('may be followed by flush and stats', async () => {
    const run = record();
    await run.tracker.close();
    await expect(run.tracker.flush()).resolves.toStrictEqual(nothing);
    expect(run.tracker.stats().backends['memory']?.state).toBe('closed');
  });
});
