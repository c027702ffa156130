import { outside } from '../core/outside.js';
import type { Clock } from '../core/clock.js';
import { settlePromises } from './real-time.js';

/** 2026-01-01T00:00:00.000Z */
const DEFAULT_START_MS = Date.UTC(2026, 0, 1);
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
export function fakeClock(startMs: number = DEFAULT_START_MS): FakeClock {
  const timers = new Set<Timer>();
  let wallMs = checked('startMs', startMs);
  let monotonicMs = 0;
  let lastAdvance: Promise<void> = Promise.resolve();

  const moveTo = (ms: number): void => {
    wallMs += ms - monotonicMs;
    monotonicMs = ms;
  };

  const advanceTo = async (endMs: number): Promise<void> => {
    await settlePromises();
    let atOnce = 0;
    for (let timer = nextDue(timers, endMs); timer !== undefined; timer = nextDue(timers, endMs)) {
      atOnce = timer.dueMs > monotonicMs ? 0 : atOnce + 1;
      if (atOnce > MAX_TIMERS_AT_ONCE) {
        throw new RangeError(
          `more than ${MAX_TIMERS_AT_ONCE} timers fell due at ${monotonicMs} ms: they start each other without time passing`,
        );
      }
      timers.delete(timer);
      moveTo(Math.max(monotonicMs, timer.dueMs));
      outside(timer.run);
      await settlePromises();
    }
    moveTo(endMs);
  };

  return {
    now: () => wallMs,
    monotonicMs: () => monotonicMs,
    setTimeout: (run, ms) => {
      if (Number.isNaN(ms)) {
        throw new RangeError('expected a timer of some milliseconds, got NaN');
      }
      const timer: Timer = { dueMs: monotonicMs + Math.max(0, ms), run };
      timers.add(timer);
      return timer;
    },
    clearTimeout: (handle) => {
      timers.delete(handle as Timer);
    },
    advance: async (ms) => {
      const by = checked('advance', ms);
      const advance = lastAdvance.then(() => advanceTo(monotonicMs + by));
      lastAdvance = advance.catch(() => undefined);
      return advance;
    },
    set: (epochMs) => {
      wallMs = checked('set', epochMs);
    },
  };
}

/** The timer that falls due first; of several at one instant, the one started first. */
function nextDue(timers: ReadonlySet<Timer>, endMs: number): Timer | undefined {
  let next: Timer | undefined;
  for (const timer of timers) {
    if (timer.dueMs <= endMs && timer.dueMs < (next?.dueMs ?? Infinity)) {
      next = timer;
    }
  }
  return next;
}

function checked(what: string, ms: number): number {
  if (!Number.isFinite(ms) || ms < 0) {
    throw new RangeError(`expected ${what} of a fake clock to be milliseconds, 0 or more, got ${ms}`);
  }
  return ms;
}
