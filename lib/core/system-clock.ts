import type { Clock, TimerHandle } from './clock.js';
import { outside } from './outside.js';

/** Node makes 1 ms of anything longer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * The timers of the process, taken before a test can put fake ones in their place: what bounds a wait must not stand still
 * with the time that the test moves by hand. Wall time is only stored: it may be a test's.
 */
const { clearImmediate, clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } = globalThis;
const monotonicMs = performance.now.bind(performance);

interface Timer {
  timeout?: NodeJS.Timeout;
  /** The turn of the event loop that what has arrived still gets. */
  turn?: NodeJS.Immediate;
}

/**
 * The system's time. Timers do not keep the process alive, and run outside the async context of the request that happened
 * to start them. They run after the input that has arrived meanwhile was read (Node handles due timers before input,
 * immediates after it): an event loop that stood still must not make an answer late that is there.
 */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    monotonicMs,
    setTimeout: (run, ms) => {
      const timer: Timer = {};
      timer.timeout = outside(() =>
        setTimeout(
          () => {
            timer.turn = setImmediate(run);
          },
          Math.min(ms, MAX_TIMER_MS),
        ).unref(),
      );
      return timer;
    },
    clearTimeout: (handle: TimerHandle) => {
      const timer = handle as Timer | undefined;
      clearTimeout(timer?.timeout);
      clearImmediate(timer?.turn);
    },
    keepAlive: () => {
      const handle = outside(() => setInterval(() => undefined, MAX_TIMER_MS));
      return () => {
        clearInterval(handle);
      };
    },
  };
}
