import assert from 'node:assert/strict';
import process from 'node:process';
import { TrackingError } from '../core/errors.js';
import { realTime, settlePromises } from './real-time.js';

/** What a contract needs of a test framework: Jest's, Vitest's, Mocha's or `node:test`'s functions as they are. */
export interface ContractRunner {
  readonly describe: (name: string, define: () => void) => unknown;
  readonly it: (name: string, run: () => Promise<void>) => unknown;
}

/** Settles as the work does; rejects with a TrackingError `timeout` when that takes too long in real milliseconds. */
export async function within<T>(timeoutMs: number, what: string, work: () => T | PromiseLike<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = realTime.setTimeout(() => {
      reject(new TrackingError('timeout', `${what} did not settle within ${timeoutMs} ms`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    realTime.clearTimeout(timer);
  }
}

/** Fails when the work leaves a rejection that nobody handles: it would end the process of an app. */
export async function withoutCrash(work: () => Promise<void>): Promise<void> {
  const unhandled: unknown[] = [];
  const listener = (reason: unknown): void => {
    unhandled.push(reason);
  };
  process.on('unhandledRejection', listener);
  try {
    await work();
    await settlePromises();
    await settlePromises();
  } finally {
    process.off('unhandledRejection', listener);
  }
  assert.deepEqual(
    unhandled.map(String),
    [],
    `a rejection was handled by nobody, which ends a process: ${unhandled.map(String).join('; ')}`,
  );
}
