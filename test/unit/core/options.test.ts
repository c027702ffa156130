import { describe, expect, it, jest } from '@jest/globals';
import { ContextStore } from '../../../lib/core/context-store.js';
import { createTracker, draftTracker } from '../../../lib/core/create-tracker.js';
import type { TrackingError } from '../../../lib/core/errors.js';
import { isTrackingError } from '../../../lib/core/errors.js';
import { DEFAULT_LIMITS } from '../../../lib/core/limits.js';
import { Problems } from '../../../lib/core/options.js';
import { fakeClock } from '../../../lib/testing/fake-clock.js';
import { memoryBackend } from '../../../lib/testing/memory-backend.js';
import { record, untyped } from '../../support/recording.js';

/** The lines of the error with which the boot stops. */
function problemsOf(options: unknown): string[] {
  try {
    createTracker(untyped(options));
  } catch (error) {
    expect(isTrackingError(error)).toBe(true);
    expect(error).toMatchObject({ code: 'invalid_options' });
    const [first, ...lines] = (error as TrackingError).message.split('\n');
    expect(first).toBe('the tracking options are wrong:');
    return lines.map((line) => line.replace('  - ', ''));
  }
  return [];
}

const backends = {};

describe('wrong options', () => {
  it('are told all at once, by path, expected and given', () => {
    class Throwing {
      constructor() {
        throw new Error('no database');
      }
      send(): void {
        // never made
      }
    }
    expect(
      problemsOf({
        backend: {},
        backends: {
          a: null,
          'b/c': memoryBackend(),
          d: { backends: { e: 7, f: {} }, processor: [] },
          g: Throwing,
          h: { backends: [], processors: 'x' },
          i: class NoSend {
            readonly name = 'x';
          },
          j: undefined,
          k: { send: 'x' },
        },
        processors: [
          7,
          () => undefined,
          { process: 1 },
          class NoProcess {
            readonly name = 'x';
          },
          null,
          class {
            constructor() {
              throw new Error('boom');
            }
            process(): void {
              /* never made */
            }
          },
        ],
        context: 'x',
        onError: 'x',
        strict: 'yes',
        contextStore: {},
        clock: { now: () => 0 },
        limits: {
          maxBytes: -5,
          maxDepth: 1.5,
          maxPending: '7',
          pendingBytes: 0,
          maxByte: 1,
        },
      }),
    ).toStrictEqual([
      'backend is not an option; known are backends, processors, context, onError, strict, contextStore, clock, limits',
      'expected context to be an object, got "x"',
      'expected onError to be a function, got "x"',
      'expected strict to be true or false, got "yes"',
      'expected contextStore to be a ContextStore, got an empty object',
      'expected clock to be a clock with now, monotonicMs, setTimeout and clearTimeout, got an object with now',
      'limits.maxByte is not an option; known are maxBytes, maxDepth, maxPending, pendingBytes, processorTimeoutMs, sendTimeoutMs, blockTimeoutMs',
      'expected limits.maxBytes to be a positive integer, got -5',
      'expected limits.maxDepth to be a positive integer, got 1.5',
      'expected limits.maxPending to be a positive integer, got "7"',
      'expected limits.pendingBytes to be a positive integer, got 0',
      'processors[0]: expected a function, or something with a callable "process", got a number',
      'processors[2]: expected a function, or something with a callable "process", got an object without it',
      'processors[4]: expected a function, or something with a callable "process", got null',
      'expected backends.a to be a backend with a callable "send", or { backends }, got null',
      'expected backends.b/c to be named without "/" and not empty, got "b/c"',
      'backends.d.processor is not an option; known are processors, backends',
      'expected backends.d.backends.e to be a backend with a callable "send", or { backends }, got 7',
      'expected backends.d.backends.f to be a backend with a callable "send", or { backends }, got an empty object',
      'expected backends.h.processors to be an array of processors, got "x"',
      'expected backends.h.backends to be an object of backends by name, got an array of 0',
      'expected backends.j to be a backend with a callable "send", or { backends }, got undefined',
      'expected backends.k to be a backend with a callable "send", or { backends }, got an object with send',
      // Classes are created once everything else is read.
      'processors[3]: expected a function, or something with a callable "process", got class NoProcess without it',
      'processors[5]: creating it failed: boom',
      'backends.g: creating Throwing failed: no database',
      'expected backends.i to be a backend with a callable "send", or { backends }, got an object with name',
    ]);
  });

  it.each<[string, unknown, string]>([
    ['no options', undefined, 'expected options to be an object, got undefined'],
    ['null', null, 'expected options to be an object, got null'],
    ['a list', [], 'expected options to be an object, got an array of 0'],
    ['a text', 'x', 'expected options to be an object, got "x"'],
    ['no backends', {}, 'expected backends to be an object of backends by name, got undefined'],
    [
      'no clock',
      { backends, clock: null },
      'expected clock to be a clock with now, monotonicMs, setTimeout and clearTimeout, got null',
    ],
    ['limits that are none', { backends, limits: null }, 'expected limits to be an object, got null'],
    [
      'processors that are none',
      { backends, processors: {} },
      'expected processors to be an array of processors, got an empty object',
    ],
    [
      'a hole among the processors',
      { backends, processors: new Array(1) },
      'processors[0]: expected a function, or something with a callable "process", got a undefined',
    ],
    [
      'a backend without a name',
      { backends: { '': memoryBackend() } },
      'expected backends. to be named without "/" and not empty, got ""',
    ],
  ])('stop the boot: %s', (_, options, problem) => {
    expect(problemsOf(options)).toStrictEqual([problem]);
  });

  it('name a router that contains itself, and allow one that stands in two places', () => {
    const loop: { backends: Record<string, unknown> } = { backends: {} };
    loop.backends['again'] = { backends: { loop } };
    expect(problemsOf({ backends: { a: loop } })).toStrictEqual([
      'backends.a.backends.again.backends.loop: this router contains itself',
    ]);
    const shared = { backends: { memory: memoryBackend() } };
    expect(problemsOf({ backends: { a: shared, b: { backends: { c: shared } } } })).toStrictEqual([]);
  });

  it('name every backend that cannot be attached, and close the others', () => {
    const close = jest.fn(() => Promise.resolve());
    const failing = (message: string) => ({
      send: () => undefined,
      attach: () => {
        throw new Error(message);
      },
    });
    expect(
      problemsOf({
        backends: {
          fine: { send: () => undefined, close },
          a: failing('one'),
          b: { backends: { c: failing('two') } },
        },
      }),
    ).toStrictEqual([
      'backends.a: attaching it failed: one',
      'backends.b.backends.c: attaching it failed: two',
    ]);
    expect(close).toHaveBeenCalledTimes(1);
  });

  it('come together with what a host found itself', () => {
    const problems = new Problems();
    problems.add('request.user', 'a function', 7);
    expect(() =>
      draftTracker(untyped({ backends: 1, request: {} }), {
        problems,
        options: { request: (given) => given },
      }).finish(),
    ).toThrow(/request\.user to be a function, got 7\n.*backends to be/);
  });

  it('attach nothing', () => {
    const attach = jest.fn();
    problemsOf({
      backends: { a: { send: () => undefined, attach } },
      strict: 1,
    });
    expect(attach).not.toHaveBeenCalled();
  });
});

describe('right options', () => {
  it('have defaults', async () => {
    const tracker = createTracker({
      backends: {},
      processors: untyped(undefined),
      limits: {},
      strict: untyped(undefined),
    });
    expect(DEFAULT_LIMITS).toStrictEqual({
      maxBytes: 1_048_576,
      maxDepth: 100,
      maxPending: 10_000,
      pendingBytes: 67_108_864,
      processorTimeoutMs: 5_000,
      sendTimeoutMs: 30_000,
      blockTimeoutMs: 5_000,
    });
    await expect(tracker.close()).resolves.toStrictEqual({
      settled: true,
      pending: 0,
    });
  });

  it('tell backends the name that a host gave', () => {
    const attach = jest.fn();
    draftTracker({ backends: { a: { attach, send: () => undefined } } }, { name: 'billing' }).finish();
    expect(attach).toHaveBeenCalledWith(expect.objectContaining({ tracker: 'billing', path: 'a' }));
  });

  it('are read once: changing them later changes nothing', () => {
    const memory = memoryBackend();
    const options = {
      backends: { memory } as Record<string, unknown>,
      context: { a: 1 },
      processors: [] as unknown[],
      limits: { maxBytes: 1_000 },
    };
    const { tracker } = record(untyped(options));
    options.backends['other'] = null;
    options.context.a = 2;
    options.processors.push(7);
    options.limits.maxBytes = 1;
    tracker.emit('x');
    expect(memory.events).toMatchObject([{ context: { a: 1 } }]);
    expect(Object.keys(tracker.stats().backends)).toStrictEqual(['memory']);
  });

  it('report a context that had to be changed', () => {
    const { codes, tracker } = record({ context: { a: 1n } });
    expect(codes()).toStrictEqual(['context_changed']);
    expect(tracker.resolveContext()).toStrictEqual({ a: '1' });
  });
});

describe('the checks', () => {
  it.each<[unknown, boolean]>([
    [0, true],
    [1.5, true],
    [-1, false],
    [Number.NaN, false],
    [Infinity, false],
    ['1', false],
  ])('of milliseconds: %p', (value, right) => {
    const problems = new Problems();
    problems.milliseconds('maxMs', value);
    expect(problems.found).toBe(!right);
  });
});

describe('strict mode', () => {
  const strict = { strict: true } as const;

  it.each<[string, string, object]>([
    ['an empty name', '', {}],
    ['a name that is no text', untyped<string>(7), {}],
  ])('throws on %s', async (_, name, data) => {
    const { tracker, memory, reports } = record(strict);
    const error = expect.objectContaining({
      code: 'invalid_name',
    }) as unknown as Error;
    expect(() => {
      tracker.emit(name, data);
    }).toThrow(error);
    await expect(tracker.emitAsync(name, data)).rejects.toMatchObject({
      code: 'invalid_name',
    });
    expect(memory.events).toHaveLength(0);
    expect(reports).toStrictEqual([]);
  });

  it.each<[string, unknown]>([
    ['a BigInt', { a: 1n }],
    [
      'a cycle',
      (() => {
        const a: Record<string, unknown> = {};
        a['a'] = a;
        return a;
      })(),
    ],
    ['NaN', { a: Number.NaN }],
    ['a function', { a: () => undefined }],
    ['a list', [1]],
    ['too deep', JSON.parse(`${'{"a":'.repeat(101)}1${'}'.repeat(101)}`)],
  ])('throws on a payload that had to be changed: %s', async (_, data) => {
    const { tracker, memory } = record(strict);
    expect(() => {
      tracker.emit('x', untyped(data));
    }).toThrow(expect.objectContaining({ code: 'payload_changed' }));
    await expect(tracker.emitAsync('x', untyped(data))).rejects.toMatchObject({
      code: 'payload_changed',
    });
    expect(memory.events).toHaveLength(0);
    tracker.emit('after', { ok: 1 });
    expect(memory.events).toHaveLength(1);
  });

  it('throws on an unknown context exit, inside and outside a scope', () => {
    const { tracker } = record(strict);
    const error = expect.objectContaining({
      code: 'unknown_context',
    }) as unknown as Error;
    expect(() => {
      tracker.exitContext('x');
    }).toThrow(error);
    expect(() => {
      tracker.context('a', {}, () => {
        tracker.exitContext('x');
      });
    }).toThrow(error);
  });

  it('throws on a context outside any scope while a host serves', () => {
    const options = { backends: {}, strict: true, contextStore: new ContextStore() };
    const tracker = draftTracker(options, {}).finish();
    tracker.seal();
    expect(() => {
      tracker.enterContext('x', {});
    }).toThrow(expect.objectContaining({ code: 'context_outside_scope' }));
  });

  it('throws on an event after close', async () => {
    const { tracker } = record(strict);
    await tracker.close();
    expect(() => {
      tracker.emit('x');
    }).toThrow(expect.objectContaining({ code: 'closed' }));
    await expect(tracker.emitAsync('x')).rejects.toMatchObject({
      code: 'closed',
    });
  });

  it('only reports everything else', async () => {
    const clock = fakeClock();
    const { tracker, codes, memory } = record({
      strict: true,
      clock,
      processors: [(event) => (event.name === 'bad' ? untyped({ name: '', data: { a: 1n } }) : undefined)],
    });
    tracker.emit('huge', { text: 'x'.repeat(2_000_000) });
    tracker.emit('a', {}, { id: '', timestamp: 'soon', context: { a: 1n } });
    tracker.context('b', { b: Number.NaN }, () => {
      tracker.emit('b');
    });
    tracker.emit('bad', { n: 1 });
    await tracker.flush({ timeoutMs: -1 });
    expect(codes()).toStrictEqual([
      'too_large',
      'context_changed',
      'invalid_option',
      'invalid_option',
      'context_changed',
      'processor_failed',
      'invalid_option',
    ]);
    expect(memory.events.map(({ name }) => name)).toStrictEqual(['a', 'b', 'bad']);
  });
});
