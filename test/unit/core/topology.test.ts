import { describe, expect, it, jest } from '@jest/globals';
import type { Backend } from '../../../lib/core/backend.js';
import type { TrackingEvent } from '../../../lib/core/event.js';
import { drop } from '../../../lib/core/processor.js';
import type { TrackingReport } from '../../../lib/core/report.js';
import { memoryBackend } from '../../../lib/testing/memory-backend.js';
import { deferred, record, untyped } from '../../support/recording.js';

const bad = (error: unknown): Backend => ({
  send: () => {
    throw error;
  },
});

const named = (event: TrackingEvent): string => event.name;

describe('the topology', () => {
  it('sends events to every backend, in the order of the keys', () => {
    const order: string[] = [];
    const log = (name: string): Backend => ({
      send: () => {
        order.push(name);
      },
    });
    const { tracker } = record({
      backends: {
        z: log('z'),
        m: { backends: { b: log('m/b'), a: log('m/a') } },
        a: log('a'),
      },
    });
    tracker.emit('x');
    expect(order).toStrictEqual(['z', 'm/b', 'm/a', 'a']);
    expect(Object.keys(tracker.stats().backends)).toStrictEqual(['z', 'm/b', 'm/a', 'a']);
  });

  it('hands all of them the same event', () => {
    const [one, two] = [memoryBackend(), memoryBackend()];
    const { tracker } = record({
      backends: { one, deep: { backends: { two } } },
    });
    tracker.emit('x');
    expect(one.events[0]).toBe(two.events[0]);
  });

  it('runs the processors of a router for its branch alone', async () => {
    const [all, changed, gone] = [memoryBackend(), memoryBackend(), memoryBackend()];
    const { tracker } = record({
      backends: {
        left: {
          processors: [(event: TrackingEvent) => ({ ...event, name: 'changed' })],
          backends: {
            changed,
            inner: { processors: [() => drop('inner')], backends: { gone } },
          },
        },
        all,
      },
    });
    const report = await tracker.emitAsync('x');
    expect(all.events.map(named)).toStrictEqual(['x']);
    expect(changed.events.map(named)).toStrictEqual(['changed']);
    expect(gone.events).toHaveLength(0);
    expect(report).toStrictEqual({
      event: all.events[0],
      outcomes: {
        'left/changed': { status: 'accepted' },
        'left/inner': { status: 'dropped', reason: 'inner' },
        all: { status: 'accepted' },
      },
    });
    expect(tracker.stats()).toMatchObject({
      accepted: 1,
      dropped: { inner: 1 },
    });
  });

  it('reports problems of a processor at its router', () => {
    const { tracker, reports } = record({
      backends: {
        a: {
          backends: {
            b: {
              processors: [
                () => {
                  throw new Error('x');
                },
              ],
              backends: {},
            },
          },
        },
      },
    });
    tracker.emit('x');
    expect(reports).toMatchObject([{ code: 'processor_failed', path: 'a/b' }]);
  });

  it('creates classes without arguments', () => {
    const sent = jest.fn();
    class Mine {
      constructor(...args: unknown[]) {
        sent(args.length);
      }
      send(event: TrackingEvent): void {
        sent(event.name);
      }
    }
    const { tracker } = record({ backends: { mine: Mine } });
    tracker.emit('x');
    expect(sent.mock.calls).toStrictEqual([[0], ['x']]);
    expect(tracker.backend('mine')).toBeInstanceOf(Mine);
  });

  it('may have no backend at all', async () => {
    const { tracker } = record({ backends: {} });
    await expect(tracker.emitAsync('x')).resolves.toMatchObject({
      event: { name: 'x' },
      outcomes: {},
    });
    expect(tracker.stats()).toStrictEqual({
      accepted: 1,
      dropped: {},
      processorErrors: 0,
      backends: {},
    });
  });

  it('takes any name for a backend', async () => {
    const names = ['constructor', 'toString', '__proto__', 'a b', '0'];
    const { tracker } = record({
      backends: Object.fromEntries(names.map((name) => [name, memoryBackend()])),
    });
    const { outcomes } = await tracker.emitAsync('x');
    expect(Object.keys(outcomes).sort()).toStrictEqual([...names].sort());
    expect(Object.keys(tracker.stats().backends).sort()).toStrictEqual([...names].sort());
  });

  it('tells backends their place, once, before the first event', () => {
    const calls: string[] = [];
    const attach = jest.fn(() => {
      calls.push('attach');
    });
    const backend: Backend = {
      attach,
      send: () => {
        calls.push('send');
      },
    };
    const { tracker, clock, reports } = record({
      backends: { a: { backends: { b: backend } } },
    });
    tracker.emit('x');
    tracker.emit('x');
    expect(calls).toStrictEqual(['attach', 'send', 'send']);
    const host = (attach.mock.calls as unknown as [[{ report: (report: TrackingReport) => void }]])[0][0];
    expect(host).toMatchObject({ tracker: 'default', path: 'a/b', clock });
    host.report({ code: 'backend_failed', message: 'mine' });
    expect(reports).toStrictEqual([{ code: 'backend_failed', message: 'mine', path: 'a/b' }]);
  });
});

describe('a backend that fails', () => {
  it.each<[string, () => Backend]>([
    ['throws', () => bad(new Error('down'))],
    ['rejects', () => ({ send: () => Promise.reject(new Error('down')) })],
    [
      'answers a then that throws',
      () => ({
        send: () =>
          untyped({
            then: () => {
              throw new Error('down');
            },
          }),
      }),
    ],
    [
      'answers something whose then cannot be read',
      () => ({
        send: () =>
          untyped({
            get then(): never {
              throw new Error('down');
            },
          }),
      }),
    ],
  ])('hurts nobody else when it %s', async (_, make) => {
    const [before, after] = [memoryBackend(), memoryBackend()];
    const { tracker, reports } = record({
      backends: { before, failing: make(), after },
    });
    const report = await tracker.emitAsync('x');
    expect(before.events).toHaveLength(1);
    expect(after.events).toHaveLength(1);
    expect(report.outcomes).toMatchObject({
      before: { status: 'accepted' },
      failing: {
        status: 'failed',
        reason: 'failed',
        error: { message: 'down' },
      },
      after: { status: 'accepted' },
    });
    expect(report).not.toHaveProperty('dropped');
    expect(reports).toMatchObject([
      {
        code: 'backend_failed',
        path: 'failing',
        error: { message: 'down' },
        event: { name: 'x' },
      },
    ]);
    expect(tracker.stats().backends['failing']).toStrictEqual({
      accepted: 0,
      delivered: 0,
      retried: 0,
      dead: 0,
      depth: 0,
      dropped: { failed: 1 },
      lastError: 'down',
      state: 'ok',
    });
  });

  it.each<[string, unknown, string]>([
    ['a text', 'down', 'down'],
    ['nothing', undefined, 'undefined'],
    [
      'an object that cannot be shown',
      {
        toString: () => {
          throw new Error();
        },
      },
      'an error that cannot be shown',
    ],
    [
      'an error whose message cannot be read',
      Object.defineProperty(new Error(), 'message', {
        get: () => {
          throw new Error();
        },
      }),
      'an error that cannot be shown',
    ],
    ['an error whose message is no text', Object.assign(new Error(), { message: 7 }), '7'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
  ])('may throw %s', (_, thrown, shown) => {
    const { tracker, codes } = record({ backends: { failing: bad(thrown) } });
    tracker.emit('x');
    expect(codes()).toStrictEqual(['backend_failed']);
    expect(tracker.stats().backends['failing']?.lastError).toBe(shown);
  });

  it.each<[string, unknown]>([
    ['a number', 7],
    ['a text', 'ok'],
    ['null', null],
    ['an object', {}],
    ['a function', () => undefined],
  ])('counts as accepting with whatever it answers: %s', async (_, answer) => {
    const { tracker } = record({
      backends: { odd: { send: () => untyped(answer) } },
    });
    await expect(tracker.emitAsync('x')).resolves.toMatchObject({
      outcomes: { odd: { status: 'accepted' } },
    });
    expect(tracker.stats().backends['odd']).toMatchObject({
      accepted: 1,
      delivered: 1,
    });
  });

  it('cannot change the event for the next', () => {
    const memory = memoryBackend();
    const { tracker } = record({
      backends: {
        rude: {
          send: (event) => {
            (event as { name: string }).name = 'mine';
          },
        },
        memory,
      },
    });
    tracker.emit('x');
    expect(memory.events.map(named)).toStrictEqual(['x']);
    expect(tracker.stats().backends['rude']?.dropped).toStrictEqual({
      failed: 1,
    });
  });

  it('may emit an event from send', () => {
    const { tracker, memory } = record({
      backends: {
        echo: {
          send: (event) => {
            if (event.name === 'x') {
              tracker.emit('echo');
            }
          },
        },
      },
    });
    tracker.register('memory', memory);
    tracker.emit('x');
    expect(memory.events.map(named)).toStrictEqual(['echo', 'x']);
  });
});

describe('looking up a backend', () => {
  it('answers what was given', () => {
    const inner = memoryBackend();
    const { tracker } = record({ backends: { a: { backends: { inner } } } });
    expect(tracker.backend('a/inner')).toBe(inner);
  });

  it.each(['b', 'a', 'a/', '/a', 'a/inner/x', '', 'toString', '__proto__', null, 7, Symbol('x')])(
    'of an unknown path throws and names the known ones: %p',
    (path) => {
      const { tracker } = record({
        backends: {
          a: { backends: { inner: memoryBackend() } },
          c: memoryBackend(),
        },
      });
      expect(() => tracker.backend(untyped(path))).toThrow(
        expect.objectContaining({
          code: 'unknown_path',
          message: expect.stringContaining('a/inner, c'),
        }),
      );
    },
  );

  it('says so when there is none', () => {
    const { tracker } = record({ backends: {} });
    expect(() => tracker.backend('a')).toThrow('"a" is not a backend; the backends are (none)');
  });
});

describe('registering a backend', () => {
  it('adds one at the end of its router', () => {
    const [one, two] = [memoryBackend(), memoryBackend()];
    const { tracker } = record({ backends: { a: { backends: {} } } });
    tracker.register('a/one', one);
    tracker.register('two', two);
    tracker.emit('x');
    expect(one.events).toHaveLength(1);
    expect(Object.keys(tracker.stats().backends)).toStrictEqual(['a/one', 'two']);
    expect(tracker.backend('a/one')).toBe(one);
  });

  it('replaces one in its place, and flushes and closes what it replaced', async () => {
    const calls: string[] = [];
    const old: Backend = {
      send: () => undefined,
      flush: () => Promise.resolve(void calls.push('flush')),
      close: () => Promise.resolve(void calls.push('close')),
    };
    const [fresh, other] = [memoryBackend(), memoryBackend()];
    const { tracker } = record({ backends: { a: old, b: other } });
    tracker.register('a', fresh);
    tracker.emit('x');
    expect(Object.keys(tracker.stats().backends)).toStrictEqual(['a', 'b']);
    expect(fresh.events).toHaveLength(1);
    await expect(tracker.flush()).resolves.toStrictEqual({
      settled: true,
      pending: 0,
    });
    expect(calls).toStrictEqual(['flush', 'close']);
  });

  it('with the same one again does not close it', async () => {
    const close = jest.fn(() => Promise.resolve());
    const same: Backend = { send: () => undefined, close };
    const { tracker } = record({ backends: { a: same } });
    tracker.register('a', same);
    await tracker.flush();
    expect(close).not.toHaveBeenCalled();
  });

  it('takes a router, in the place of a backend and the reverse', async () => {
    const closed: string[] = [];
    const backend = (name: string): Backend => ({
      send: () => undefined,
      close: () => Promise.resolve(void closed.push(name)),
    });
    const kept = backend('kept');
    const { tracker } = record({ backends: { a: kept, b: backend('b') } });
    tracker.register('a', { backends: { kept, inner: { backends: { deep: backend('deep') } } } });
    expect(Object.keys(tracker.stats().backends)).toStrictEqual(['a/kept', 'a/inner/deep', 'b']);
    expect(tracker.backend('a/kept')).toBe(kept);
    await tracker.flush();
    expect(closed).toStrictEqual([]);
    tracker.register('a', backend('last'));
    expect(Object.keys(tracker.stats().backends)).toStrictEqual(['a', 'b']);
    await tracker.flush();
    expect(closed).toStrictEqual(['kept', 'deep']);
  });

  it('takes a class, and the processors of a router', () => {
    const sent: string[] = [];
    class Late {
      send({ name }: { readonly name: string }): void {
        sent.push(name);
      }
    }
    const { tracker } = record();
    tracker.register('late', {
      processors: [(event) => ({ ...event, name: `late ${event.name}` })],
      backends: { one: Late },
    });
    tracker.emit('x');
    expect(sent).toStrictEqual(['late x']);
  });

  it('while it is sending lets that finish', async () => {
    const gate = deferred();
    const { tracker } = record({
      backends: { a: { send: () => gate.promise } },
    });
    const report = tracker.emitAsync('x');
    tracker.register('a', memoryBackend());
    gate.resolve();
    await expect(report).resolves.toMatchObject({
      outcomes: { a: { status: 'accepted' } },
    });
  });

  it('is closed with the others', async () => {
    const close = jest.fn(() => Promise.resolve());
    const { tracker } = record();
    tracker.register('late', { send: () => undefined, close });
    await tracker.close();
    expect(close).toHaveBeenCalledTimes(1);
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['no send', {}],
    ['a send that is none', { send: 1 }],
    ['a function', () => undefined],
  ])('refuses %s', (_, backend) => {
    const { tracker } = record();
    expect(() => {
      tracker.register('a', untyped(backend));
    }).toThrow(
      expect.objectContaining({
        code: 'invalid_options',
        message: expect.stringContaining('callable "send"'),
      }),
    );
  });

  it.each(['', 'a/', 'x/y', 'memory/x', '/x', 7, null])('refuses the path %p', (path) => {
    const { tracker } = record({
      backends: { memory: memoryBackend(), a: { backends: {} } },
    });
    expect(() => {
      tracker.register(untyped(path), memoryBackend());
    }).toThrow(
      expect.objectContaining({
        code: 'unknown_path',
        message: expect.stringContaining('memory'),
      }),
    );
  });

  it('refuses one that cannot be attached, and keeps the old one', () => {
    const { tracker, memory } = record();
    const cause = new Error('no disk');
    expect(() => {
      tracker.register('memory', {
        attach: () => {
          throw cause;
        },
        send: () => undefined,
      });
    }).toThrow(
      expect.objectContaining({
        code: 'invalid_options',
        message: expect.stringContaining('no disk'),
        cause,
      }),
    );
    expect(tracker.backend('memory')).toBe(memory);
  });

  it('refuses a router with one that cannot be attached, and closes the others of it', () => {
    const close = jest.fn(() => Promise.resolve());
    const attach = (): never => {
      throw new Error('no disk');
    };
    const { tracker, memory } = record();
    expect(() => {
      tracker.register('memory', {
        backends: { fine: { send: () => undefined, close }, bad: { send: () => undefined, attach } },
      });
    }).toThrow('backends.memory.backends.bad: attaching it failed: no disk');
    expect(close).toHaveBeenCalledTimes(1);
    expect(tracker.backend('memory')).toBe(memory);
  });

  it('is refused after close', async () => {
    const { tracker } = record();
    await tracker.close();
    expect(() => {
      tracker.register('late', memoryBackend());
    }).toThrow(expect.objectContaining({ code: 'closed' }));
  });
});

describe('stats of a backend', () => {
  const own = {
    accepted: 5,
    delivered: 2,
    retried: 1,
    dead: 1,
    dropped: { overflow: 3 },
    depth: 2,
    state: 'retrying' as const,
  };

  it('are its own when it has some', async () => {
    const { tracker } = record({
      backends: { a: { send: () => undefined, stats: () => own } },
    });
    tracker.emit('x');
    expect(tracker.stats().backends['a']).toStrictEqual(own);
    await tracker.close();
    expect(tracker.stats().backends['a']).toStrictEqual({
      ...own,
      state: 'closed',
    });
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['answers null', () => null],
    ['answers a promise', () => Promise.resolve(own)],
    ['answers nothing to count', () => ({ ...own, depth: 'deep' })],
  ])("are the tracker's when stats() %s", async (_, stats) => {
    const { tracker, codes } = record({
      backends: { a: { send: () => undefined, stats: untyped(stats) } },
    });
    tracker.emit('x');
    expect(tracker.stats().backends['a']).toMatchObject({
      accepted: 1,
      delivered: 1,
      depth: 0,
    });
    expect(codes()).toStrictEqual(['backend_failed']);
    await expect(tracker.flush()).resolves.toStrictEqual({
      settled: true,
      pending: 0,
    });
  });
});
