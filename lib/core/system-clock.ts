import { AsyncResource } from 'node:async_hooks';
import type { Clock, TimerHandle } from './clock.js';

/** Node makes 1 ms of anything longer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * The system's time. Timers do not keep the process alive, and run in the async context in which the clock was made,
 * not in that of the request that happened to start them.
 */
export function systemClock(): Clock {
  const outside = new AsyncResource('nestjs-tracking');
  return {
    now: () => Date.now(),
    monotonicMs: () => performance.now(),
    setTimeout: (run, ms) =>
      outside.runInAsyncScope(() => setTimeout(run, Math.min(ms, MAX_TIMER_MS)).unref()),
    clearTimeout: (handle: TimerHandle) => {
      clearTimeout(handle as NodeJS.Timeout);
    },
    keepAlive: () => {
      const handle = outside.runInAsyncScope(() => setInterval(() => undefined, MAX_TIMER_MS));
      return () => {
        clearInterval(handle);
      };
    },
  };
}
