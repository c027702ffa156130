import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Backend, OnError, TrackerOptions, TrackingReport } from 'nestjs-tracking/core';
import { filter } from 'nestjs-tracking/core';
import { turns } from '../../support/http-app.js';
import type { AnyTracker, Recording } from '../../support/recording.js';
import { record, untyped } from '../../support/recording.js';

/** Where a loop without an end is stopped, so that this test has one. */
const LIMIT = 50;

const down = (): never => {
  throw new Error('down');
};
const hangs: Backend = { send: () => new Promise(() => undefined) };

/** Lines of the fallback: what `onError` is not told. */
let lines: string[] = [];
beforeEach(() => {
  lines = [];
  jest.spyOn(console, 'error').mockImplementation((line: unknown) => {
    lines.push(String(line));
  });
});
afterEach(() => {
  jest.restoreAllMocks();
});

/** Trackers at which every event of any name fails, with the code of the report. */
const FAILURES: readonly [string, Partial<TrackerOptions>, TrackingReport['code']][] = [
  ['a backend throws', { backends: { broken: { send: down } } }, 'backend_failed'],
  [
    'a backend rejects',
    { backends: { broken: { send: async () => Promise.reject(new Error('down')) } } },
    'backend_failed',
  ],
  [
    'a backend rejects later',
    {
      backends: {
        broken: {
          send: async () => {
            await turns(1);
            down();
          },
        },
      },
    },
    'backend_failed',
  ],
  [
    'one of two backends rejects',
    {
      backends: {
        fine: { send: () => undefined },
        broken: { send: () => Promise.reject(new Error('down')) },
      },
    },
    'backend_failed',
  ],
  ['a processor throws', { processors: [down] }, 'processor_failed'],
  [
    'a processor rejects',
    { processors: [async () => Promise.reject(new Error('down'))] },
    'processor_failed',
  ],
  [
    'a filter rejects',
    { processors: [filter(async () => Promise.reject(new Error('down')))] },
    'processor_failed',
  ],
  [
    'a processor of a router rejects',
    {
      backends: {
        router: {
          processors: [async () => Promise.reject(new Error('down'))],
          backends: { fine: { send: () => undefined } },
        },
      },
    },
    'processor_failed',
  ],
  ['every event is too large', { limits: { maxBytes: 20 } }, 'too_large'],
];

/** Ways in which `onError` emits what happened. */
const ECHOES: readonly [string, (emit: () => void) => unknown][] = [
  [
    'at once',
    (emit) => {
      emit();
    },
  ],
  [
    'after a promise',
    async (emit) => {
      await Promise.resolve();
      emit();
    },
  ],
  [
    'after a turn of the event loop',
    async (emit) => {
      await turns(1);
      emit();
    },
  ],
  ['in an immediate', (emit) => setImmediate(emit)],
  [
    'in a microtask',
    (emit) => {
      queueMicrotask(emit);
    },
  ],
];

interface Echo extends Recording {
  readonly told: TrackingReport[];
}

/** A tracker whose `onError` does something, as long as that may be a loop. */
function echo(options: Partial<TrackerOptions>, react: (tracker: AnyTracker) => unknown): Echo {
  const told: TrackingReport[] = [];
  const run = record({
    ...options,
    onError: untyped<OnError>((report: TrackingReport) => {
      told.push(report);
      return told.length < LIMIT ? react(run.tracker) : undefined;
    }),
  });
  return { ...run, told };
}

describe.each(ECHOES)('onError that emits %s', (_when, later) => {
  it.each(FAILURES)('is not told of its own event: %s', async (_how, options, code) => {
    const { tracker, told } = echo(options, (own) =>
      later(() => {
        own.emit('tracking.failed');
      }),
    );
    tracker.emit('a');
    await turns(20);
    expect(told.map((report) => report.code)).toStrictEqual([code]);
    expect(lines.filter((line) => line.includes(code))).toHaveLength(1);
    // What fails next is told again, and its echo not.
    tracker.emit('b');
    await turns(20);
    expect(told.map((report) => report.code)).toStrictEqual([code, code]);
  });

  it.each(FAILURES)('nor of what it sent with emitAsync or a child: %s', async (_how, options, code) => {
    const { tracker, told } = echo(options, (own) =>
      later(() => {
        void own.emitAsync('tracking.failed');
        own.child({ context: { echo: true } }).emit('tracking.failed');
      }),
    );
    await tracker.emitAsync('a');
    await turns(20);
    expect(told.map((report) => report.code)).toStrictEqual([code]);
  });

  it('has its event delivered where that works', async () => {
    const run = record();
    const { tracker, told } = echo(
      {
        backends: {
          memory: run.memory,
          broken: { send: ({ name }) => (name === 'a' ? Promise.reject(new Error('down')) : undefined) },
        },
      },
      (own) =>
        later(() => {
          own.emit('tracking.failed');
        }),
    );
    tracker.emit('a');
    await run.memory.waitFor('tracking.failed');
    tracker.emit('a');
    await run.memory.waitFor('tracking.failed', 2);
    await turns();
    expect(run.memory.events.map(({ name }) => name)).toStrictEqual([
      'a',
      'tracking.failed',
      'a',
      'tracking.failed',
    ]);
    expect(told).toHaveLength(2);
    expect(lines).toStrictEqual([]);
  });

  it('is not told of what it made wrong otherwise', async () => {
    const { tracker, told } = echo({}, (own) =>
      later(() => {
        own.exitContext('nobody');
        own.emit('', { n: 1n });
      }),
    );
    tracker.emit('');
    await turns(20);
    expect(told.map(({ code }) => code)).toStrictEqual(['invalid_name']);
  });

  it('starts no loop with the onError of another tracker', async () => {
    const broken = { backends: { broken: { send: async () => Promise.reject(new Error('down')) } } };
    const other: Echo = echo(broken, () =>
      later(() => {
        one.tracker.emit('tracking.failed');
      }),
    );
    const one: Echo = echo(broken, () =>
      later(() => {
        other.tracker.emit('tracking.failed');
      }),
    );
    one.tracker.emit('a');
    await turns(20);
    expect(one.told).toHaveLength(1);
    expect(other.told.length).toBeLessThanOrEqual(1);
  });
});

describe('an event that onError emits', () => {
  it('may time out, which is told to the fallback', async () => {
    const { tracker, told, clock } = echo(
      { backends: { hangs }, limits: { sendTimeoutMs: 1_000 } },
      (own) => {
        own.emit('tracking.failed');
      },
    );
    tracker.emit('a');
    for (let round = 0; round < 5; round++) {
      await clock.advance(1_000);
    }
    expect(told.map(({ code, event }) => [code, event?.name])).toStrictEqual([['timeout', 'a']]);
    expect(lines).toStrictEqual([expect.stringContaining('timeout')]);
  });

  it('may find a processor that takes too long', async () => {
    const { tracker, told, clock } = echo(
      { processors: [() => new Promise(() => undefined)], limits: { processorTimeoutMs: 1_000 } },
      (own) => {
        own.emit('tracking.failed');
      },
    );
    tracker.emit('a');
    for (let round = 0; round < 5; round++) {
      await clock.advance(1_000);
    }
    expect(told.map(({ code }) => code)).toStrictEqual(['timeout']);
  });

  it('may find no room', async () => {
    const { tracker, told } = echo({ backends: { hangs }, limits: { maxPending: 2 } }, async (own) => {
      await Promise.resolve();
      own.emit('tracking.failed');
    });
    for (const name of ['a', 'b', 'c', 'd']) {
      tracker.emit(name);
    }
    await turns(20);
    expect(told.map(({ event }) => event?.name)).toStrictEqual(['c', 'd']);
  });

  it('may come after close', async () => {
    const { tracker, told } = echo({}, async (own) => {
      await Promise.resolve();
      own.emit('tracking.failed');
    });
    await tracker.close();
    tracker.emit('a');
    await turns(20);
    expect(told.map(({ code }) => code)).toStrictEqual(['closed']);
  });
});

describe('onError that fails', () => {
  it.each<[string, () => unknown]>([
    ['throws', down],
    ['rejects', () => Promise.reject(new Error('down'))],
    [
      'emits and throws',
      () => {
        down();
      },
    ],
  ])('because it %s is told of the next report all the same', async (_how, fail) => {
    const { tracker, told } = echo({}, (own) => {
      own.emit('echo');
      return fail();
    });
    tracker.emit('');
    tracker.emit('');
    await turns();
    tracker.emit('');
    await turns();
    expect(told.map(({ code }) => code)).toStrictEqual(['invalid_name', 'invalid_name', 'invalid_name']);
    expect(lines).toStrictEqual([expect.stringContaining('callback_failed at onError')]);
  });
});
