import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import type { Clock } from '../../../lib/core/clock.js';
import { Deadline } from '../../../lib/core/deadline.js';
import { systemClock } from '../../../lib/core/system-clock.js';
import { TIMED_OUT, TimeoutQueue } from '../../../lib/core/timeout-queue.js';
import { fakeClock } from '../../../lib/testing/fake-clock.js';
import { record } from '../../support/recording.js';

describe('timeouts', () => {
  it('expire each at its time, in order, unless they are stopped', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            wait: fc.integer({ min: 0, max: 40 }),
            stopAfter: fc.option(fc.integer({ min: 0, max: 150 })),
          }),
          { maxLength: 12 },
        ),
        async (plan) => {
          const clock = fakeClock();
          const timeouts = new TimeoutQueue(clock, 100);
          const expired: [index: number, atMs: number][] = [];
          const expected: [index: number, atMs: number][] = [];
          let startMs = 0;
          for (const [index, { wait, stopAfter }] of plan.entries()) {
            startMs += wait;
            const begun = startMs;
            clock.setTimeout(() => {
              const stop = timeouts.start(() => expired.push([index, clock.monotonicMs()]));
              if (stopAfter !== null) {
                clock.setTimeout(stop, stopAfter);
              }
            }, begun);
            // At the same instant the expiry was planned before the stop.
            if (stopAfter === null || stopAfter > 100) {
              expected.push([index, begun + 100]);
            }
          }
          await clock.advance(1_000);
          const onTie = (index: number): boolean => plan[index]?.stopAfter === 100;
          expect(expired.filter(([index]) => !onTie(index))).toStrictEqual(expected);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('have no timer while nothing waits', () => {
    const clock = fakeClock();
    const set = jest.spyOn(clock, 'setTimeout');
    const clear = jest.spyOn(clock, 'clearTimeout');
    const timeouts = new TimeoutQueue(clock, 100);
    const stops = [1, 2, 3].map(() => timeouts.start(() => undefined));
    expect(set).toHaveBeenCalledTimes(1);
    stops.forEach((stop) => {
      stop();
    });
    expect(clear).toHaveBeenCalledTimes(1);
    stops[0]?.();
    expect(clear).toHaveBeenCalledTimes(1);
  });

  it('may be started while one expires', async () => {
    const clock = fakeClock();
    const timeouts = new TimeoutQueue(clock, 100);
    const expired: number[] = [];
    timeouts.start(() => {
      expired.push(1);
      timeouts.start(() => expired.push(2));
    });
    await clock.advance(199);
    expect(expired).toStrictEqual([1]);
    await clock.advance(1);
    expect(expired).toStrictEqual([1, 2]);
  });
});

describe('timeouts on a clock that stands still', () => {
  /** A clock that shows one time for ever, and whose timers run when the test says so. */
  const standing = () => {
    const timers: { run: () => void; ms: number }[] = [];
    const clock: Clock = {
      now: () => 0,
      monotonicMs: () => 0,
      setTimeout: (run, ms) => timers.push({ run, ms }),
      clearTimeout: () => undefined,
    };
    return { clock, timers };
  };

  it('expire when their timer runs, whatever the clock shows', () => {
    const { clock, timers } = standing();
    const timeouts = new TimeoutQueue(clock, 100);
    const expired: number[] = [];
    timeouts.start(() => expired.push(1));
    timeouts.start(() => expired.push(2));
    expect(timers).toMatchObject([{ ms: 100 }]);
    timers[0]?.run();
    expect(expired).toStrictEqual([1, 2]);
    expect(timers).toHaveLength(1);
    timeouts.start(() => expired.push(3));
    timers[1]?.run();
    expect(expired).toStrictEqual([1, 2, 3]);
  });

  it('end a race', async () => {
    const { clock, timers } = standing();
    const race = new TimeoutQueue(clock, 100).race(new Promise<void>(() => undefined));
    timers[0]?.run();
    await expect(race).resolves.toBe(TIMED_OUT);
  });
});

describe('a time budget', () => {
  it('is shared by what is done one after the other', async () => {
    const clock = fakeClock();
    const deadline = new Deadline(clock, 100);
    await clock.advance(60);
    expect(deadline.budget()).toStrictEqual({ timeoutMs: 40 });
    expect(deadline.part(4).budget()).toStrictEqual({ timeoutMs: 10 });
    await clock.advance(60);
    expect(deadline.budget()).toStrictEqual({ timeoutMs: 0 });
  });

  it('ends a race, or the work does', async () => {
    const clock = fakeClock();
    const error = new Error('work');
    const late = new Deadline(clock, 100).race(new Promise<string>(() => undefined), 'late');
    await expect(new Deadline(clock, 100).race(Promise.resolve('done'), 'late')).resolves.toBe('done');
    await expect(new Deadline(clock, 100).race(Promise.reject(error), 'late')).rejects.toBe(error);
    await clock.advance(100);
    await expect(late).resolves.toBe('late');
  });
});

describe('the system clock', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('tells the time', () => {
    jest.spyOn(Date, 'now').mockReturnValue(1_700_000_000_123);
    const clock = systemClock();
    expect(clock.now()).toBe(1_700_000_000_123);
    const before = clock.monotonicMs();
    expect(clock.monotonicMs()).toBeGreaterThanOrEqual(before);
  });

  it('runs timers outside the context of whoever started them', async () => {
    const storage = new AsyncLocalStorage<string>();
    const clock = systemClock();
    const seen = await new Promise((resolve) => {
      storage.run('request', () => {
        // Node may end for want of anything else to do: this timer keeps it alive.
        const alive = setTimeout(() => undefined, 1_000);
        clock.setTimeout(() => {
          clearTimeout(alive);
          resolve(storage.getStore());
        }, 0);
      });
    });
    expect(seen).toBeUndefined();
  });

  it('clears timers', async () => {
    const clock = systemClock();
    const run = jest.fn();
    clock.clearTimeout(clock.setTimeout(run, 0));
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(run).not.toHaveBeenCalled();
  });

  it.each([Infinity, Number.MAX_SAFE_INTEGER, 2 ** 31])('does not take %p ms for none', async (ms) => {
    const clock = systemClock();
    const run = jest.fn();
    const timer = clock.setTimeout(run, ms);
    // Node takes it for 1 ms: a timer of the same clock that comes after that would run after it.
    await new Promise<void>((resolve) => {
      const alive = setTimeout(() => undefined, 1_000);
      clock.setTimeout(() => {
        clearTimeout(alive);
        resolve();
      }, 2);
    });
    clock.clearTimeout(timer);
    expect(run).not.toHaveBeenCalled();
  });

  it('has timers of its own where a test put fake ones in the place of those of the process', async () => {
    const clock = systemClock();
    jest.useFakeTimers();
    try {
      await new Promise<void>((resolve) => {
        const release = clock.keepAlive?.();
        clock.setTimeout(() => {
          release?.();
          resolve();
        }, 0);
      });
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('timestamps', () => {
  it('follow the clock, to the millisecond', async () => {
    const { tracker, memory, clock } = record();
    tracker.emit('a');
    tracker.emit('b');
    await clock.advance(1);
    tracker.emit('c');
    clock.set(0);
    tracker.emit('d');
    expect(memory.events.map(({ timestamp }) => timestamp)).toStrictEqual([
      '2026-01-01T00:00:00.000Z',
      '2026-01-01T00:00:00.000Z',
      '2026-01-01T00:00:00.001Z',
      '1970-01-01T00:00:00.000Z',
    ]);
  });

  it.each([Number.NaN, Infinity])(
    'of a clock that shows %p lose the event, not the app, and do not last',
    (now) => {
      const clock = { ...fakeClock(), now: () => time };
      let time = now;
      const { tracker, memory, codes } = record({ clock });
      tracker.emit('lost');
      time = 1_000;
      tracker.emit('kept');
      expect(codes()).toStrictEqual(['unserialisable']);
      expect(memory.events).toMatchObject([
        {
          name: 'kept',
          timestamp: '1970-01-01T00:00:01.000Z',
          id: expect.stringMatching(/^00000000-03e8-7/),
        },
      ]);
    },
  );
});
