import type { Clock } from '../core/clock.js';
import { TrackingError } from '../core/errors.js';
import { Deadline } from '../core/node.js';
import { systemClock } from '../core/system-clock.js';

/** Longer than apps usually wait for a database; what needs itself would wait for ever. */
const BOOT_TIMEOUT_MS = 30_000;

/**
 * Waits while an app boots, but not for ever.
 *
 * @param what is waited for, and why it may never come
 * @throws TrackingError `timeout`
 */
export async function atBoot<T>(work: PromiseLike<T>, what: string): Promise<T> {
  const late = Symbol('late');
  const result = await new Deadline(waitingClock(), BOOT_TIMEOUT_MS).race<T | typeof late>(work, late);
  if (result === late) {
    throw new TrackingError('timeout', `waited ${BOOT_TIMEOUT_MS} ms for ${what}`);
  }
  return result;
}

/** Nothing but these timers keeps a process alive before it listens: without them it would end and say nothing. */
function waitingClock(): Clock {
  const clock = systemClock();
  return {
    ...clock,
    setTimeout: (run, ms) => (clock.setTimeout(run, ms) as NodeJS.Timeout).ref(),
  };
}
