import type { Clock } from '../core/clock.js';
import { outside } from '../core/outside.js';
import { settlePromises } from './waiting.js';

/** More timers than this at one instant only ever start each other. */
const MAX_TIMERS_AT_ONCE = 10_000;

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
}

/** A clock that stands still until a test moves it. */
export interface FakeClock extends Clock {
  /**
   * Moves both times on and runs what falls due, in order, also timers started on the way. Promises settle before the
   * first timer and after each one. Calls one after the other wait for each other.
   *
   * Rejects with what a timer threw, after which the clock stands at that timer; with a `RangeError` for anything but
   * 0 or more milliseconds.
   */
  advance(ms: number): Promise<void>;
  /** Sets wall time alone, as an administrator or NTP does: no timer runs, monotonic time goes on. */
  set(epochMs: number): void;
}

/**
 * Time for tests: nothing sleeps. Timers run outside the async context of whoever started them, as the system's do.
 *
 * `setTimeout` of less than 0 ms waits 0 ms; of `NaN`, which Node would make 1 ms, it throws a `RangeError`.
 *
 * @param startMs wall time at the start; default: 2026-01-01T00:00:00.000Z. Monotonic time starts at 0.
 */
export function fakeClock(startMs: number = Date.UTC(2026, 0, 1)): FakeClock {
  /** By the time at which they fall due; of those at one instant, the one started first is the first. */
  const timers: Timer[] = [];
  let monotonicMs = 0;
  /** Wall time without the monotonic time. */
  let offsetMs = milliseconds('startMs', startMs);
  let lastAdvance: Promise<void> = Promise.resolve();

  const advanceBy = async (ms: number): Promise<void> => {
    const endMs = monotonicMs + ms;
    let atOnce = 0;
    await settlePromises();
    for (let [timer] = timers; timer !== undefined && timer.dueMs <= endMs; [timer] = timers) {
      atOnce = timer.dueMs > monotonicMs ? 0 : atOnce + 1;
      if (atOnce > MAX_TIMERS_AT_ONCE) {
        const instant = `more than ${MAX_TIMERS_AT_ONCE} timers fell due at ${monotonicMs} ms`;
        throw new RangeError(`${instant}: they start each other without time passing`);
      }
      timers.shift();
      monotonicMs = Math.max(monotonicMs, timer.dueMs);
      outside(timer.run);
      await settlePromises();
    }
    monotonicMs = endMs;
  };

  return {
    now: () => offsetMs + monotonicMs,
    monotonicMs: () => monotonicMs,
    setTimeout: (run, ms) => {
      if (Number.isNaN(ms)) {
        throw new RangeError('expected a timer of some milliseconds, got NaN');
      }
      const timer: Timer = { dueMs: monotonicMs + Math.max(0, ms), run };
      timers.splice(timers.findLastIndex(({ dueMs }) => dueMs <= timer.dueMs) + 1, 0, timer);
      return timer;
    },
    clearTimeout: (handle) => {
      timers.splice(0, Infinity, ...timers.filter((timer) => timer !== handle));
    },
    advance: async (ms) => {
      const by = milliseconds('advance', ms);
      const advance = lastAdvance.then(() => advanceBy(by));
      lastAdvance = advance.catch(() => undefined);
      return advance;
    },
    set: (epochMs) => {
      offsetMs = milliseconds('set', epochMs) - monotonicMs;
    },
  };
}

function milliseconds(what: string, ms: number): number {
  if (!Number.isFinite(ms) || ms < 0) {
    throw new RangeError(`expected ${what} of a fake clock to be milliseconds, 0 or more, got ${ms}`);
  }
  return ms;
}
