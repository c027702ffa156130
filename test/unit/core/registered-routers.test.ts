import { describe, expect, it } from '@jest/globals';
import type { Backend, ProcessorObject, RouterSpec, TrackingEvent } from 'nestjs-tracking/core';
import { block } from 'nestjs-tracking/core';
import { memoryBackend } from 'nestjs-tracking/testing';
import type { AnyTracker } from '../../support/recording.js';
import { deferred, record, untyped } from '../../support/recording.js';

/** Routers may be registered like backends. */
function register(tracker: AnyTracker, path: string, router: unknown): void {
  tracker.register(path, untyped<Backend>(router));
}

interface Spy extends Backend {
  readonly calls: string[];
}

/** Writes down what it is asked for. */
function spy(send: Backend['send'] = () => undefined): Spy {
  const calls: string[] = [];
  return {
    calls,
    send: (event) => {
      calls.push(event.name);
      return send(event);
    },
    flush: () => {
      calls.push('flush');
      return Promise.resolve();
    },
    close: () => {
      calls.push('close');
      return Promise.resolve();
    },
  };
}

describe('registering a router', () => {
  it('adds its backends, behind its processors, at the end', async () => {
    const { tracker, memory, reports } = record();
    const [http, logs] = [memoryBackend(), memoryBackend()];
    register(tracker, 'warehouse', { processors: [block(['noise'])], backends: { http, logs } });
    await tracker.emitAsync('noise');
    const report = await tracker.emitAsync('order.created');
    expect(report.outcomes).toStrictEqual({
      memory: { status: 'accepted' },
      'warehouse/http': { status: 'accepted' },
      'warehouse/logs': { status: 'accepted' },
    });
    expect(Object.keys(tracker.stats().backends)).toStrictEqual([
      'memory',
      'warehouse/http',
      'warehouse/logs',
    ]);
    expect(http.events.map(({ name }) => name)).toStrictEqual(['order.created']);
    expect(logs.events).toHaveLength(1);
    expect(memory.events).toHaveLength(2);
    expect(tracker.backend('warehouse/logs')).toBe(logs);
    expect(reports).toStrictEqual([]);
  });

  it('takes routers in it, classes, and further backends later', async () => {
    class Shout implements ProcessorObject {
      process(event: TrackingEvent): TrackingEvent {
        return { ...event, name: event.name.toUpperCase() };
      }
    }
    const seen: string[] = [];
    class Seen implements Backend {
      send({ name }: TrackingEvent): void {
        seen.push(name);
      }
    }
    const { tracker } = record();
    register(tracker, 'a', { backends: { b: { processors: [Shout], backends: { c: Seen } } } });
    const late = memoryBackend();
    tracker.register('a/b/late', late);
    register(tracker, 'a/other', { backends: { d: Seen } });
    await tracker.emitAsync('x');
    expect(seen).toStrictEqual(['X', 'x']);
    expect(late.events).toMatchObject([{ name: 'X' }]);
    expect(Object.keys(tracker.stats().backends)).toStrictEqual(['memory', 'a/b/c', 'a/b/late', 'a/other/d']);
  });

  it('attaches its backends with their paths', () => {
    const paths: string[] = [];
    const backend: Backend = {
      attach: ({ path }) => {
        paths.push(path);
      },
      send: () => undefined,
    };
    const { tracker } = record();
    register(tracker, 'a', { backends: { one: backend, b: { backends: { two: { ...backend } } } } });
    expect(paths).toStrictEqual(['a/one', 'a/b/two']);
  });

  it('replaces one in its place, and flushes and closes its backends once', async () => {
    const [old, older] = [spy(), spy()];
    const { tracker } = record({
      backends: { a: { backends: { old, deep: { backends: { older } } } }, b: memoryBackend() },
    });
    tracker.emit('before');
    const [fresh, fresher] = [memoryBackend(), memoryBackend()];
    register(tracker, 'a', { backends: { fresh } });
    tracker.emit('between');
    await tracker.flush();
    expect(old.calls).toStrictEqual(['before', 'flush', 'close']);
    expect(older.calls).toStrictEqual(['before', 'flush', 'close']);
    expect(Object.keys(tracker.stats().backends)).toStrictEqual(['a/fresh', 'b']);
    expect(() => tracker.backend('a/old')).toThrow(expect.objectContaining({ code: 'unknown_path' }));
    // And a second time, now with processors.
    register(tracker, 'a', { processors: [block(['noise'])], backends: { fresh, fresher } });
    await tracker.emitAsync('noise');
    await tracker.emitAsync('after');
    expect(fresh.events.map(({ name }) => name)).toStrictEqual(['between', 'after']);
    expect(fresher.events.map(({ name }) => name)).toStrictEqual(['after']);
    await tracker.close();
    expect(old.calls).toStrictEqual(['before', 'flush', 'close']);
  });

  it('does not close a backend that stands in the new one too', async () => {
    const [kept, gone] = [spy(), spy()];
    const { tracker } = record({ backends: { a: { backends: { kept, gone } } } });
    register(tracker, 'a', { backends: { kept } });
    await tracker.flush();
    tracker.emit('x');
    expect(kept.calls).not.toContain('close');
    expect(kept.calls.at(-1)).toBe('x');
    expect(gone.calls).toContain('close');
    await tracker.close();
    expect(kept.calls.filter((call) => call === 'close')).toHaveLength(1);
  });

  it('lets what is under way in the old one finish', async () => {
    const [sent, processed] = [deferred(), deferred()];
    const old = memoryBackend();
    const { tracker, reports } = record({
      backends: {
        a: {
          processors: [(event) => (event.name === 'processed' ? processed.promise : undefined)],
          backends: { old, slow: { send: () => sent.promise } },
        },
      },
    });
    const sending = tracker.emitAsync('sent');
    const processing = tracker.emitAsync('processed');
    register(tracker, 'a', { backends: { fresh: memoryBackend() } });
    sent.resolve();
    processed.resolve();
    await expect(sending).resolves.toMatchObject({ outcomes: { 'a/slow': { status: 'accepted' } } });
    await processing;
    await expect(tracker.flush()).resolves.toStrictEqual({ settled: true, pending: 0 });
    // What came out of its processors after the backends were closed is counted as such, not lost without a word.
    expect(old.events.length + reports.filter(({ code }) => code === 'closed').length).toBeGreaterThanOrEqual(
      2,
    );
  });

  it('closes its backends with the others', async () => {
    const one = spy();
    const { tracker } = record();
    register(tracker, 'a', { backends: { one } });
    await tracker.close();
    expect(one.calls).toStrictEqual(['flush', 'close']);
    expect(() => {
      register(tracker, 'b', { backends: {} });
    }).toThrow(expect.objectContaining({ code: 'closed' }));
  });

  it('may be empty, and filled later', () => {
    const { tracker } = record();
    register(tracker, 'tenants', { backends: {} });
    const one = memoryBackend();
    tracker.register('tenants/one', one);
    tracker.emit('x');
    expect(one.events).toHaveLength(1);
  });

  it('names everything that is wrong with it, and changes nothing', () => {
    const old = spy();
    const { tracker } = record({ backends: { a: { backends: { old } } } });
    const round: Record<string, unknown> = {};
    round['backends'] = { round };
    const wrong: readonly [unknown, readonly string[]][] = [
      [{ backends: { one: {}, two: 7 }, processors: [1] }, ['one', 'two', 'processors[0]']],
      [{ backends: { one: memoryBackend() }, proccesors: [] }, ['proccesors']],
      [{ backends: [] }, ['backends']],
      [{ backends: { 'x/y': memoryBackend() } }, ['x/y']],
      [round, ['contains itself']],
      [
        {
          backends: {
            one: {
              attach: () => {
                throw new Error('no disk');
              },
              send: () => undefined,
            },
          },
        },
        ['no disk'],
      ],
    ];
    for (const [router, words] of wrong) {
      for (const word of words) {
        expect(() => {
          register(tracker, 'a', router);
        }).toThrow(
          expect.objectContaining({ code: 'invalid_options', message: expect.stringContaining(word) }),
        );
      }
    }
    tracker.emit('x');
    expect(old.calls).toStrictEqual(['x']);
    expect(tracker.backend('a/old')).toBe(old);
  });

  it.each(['', 'a/', 'x/y', 'memory/x', '/x'])('refuses the path %p', (path) => {
    const { tracker } = record();
    const router: RouterSpec = { backends: { one: memoryBackend() } };
    expect(() => {
      register(tracker, path, router);
    }).toThrow(expect.objectContaining({ code: 'unknown_path' }));
  });
});
