import assert from 'node:assert/strict';
import process from 'node:process';
import { settlePromises, within } from './waiting.js';

/** One test of a contract, for any test runner: `for (const { name, run } of tests) it(name, run)`. */
export interface ContractTest {
  readonly name: string;
  run(): Promise<void>;
}

/** Adds what is to be done at the end of a test, however it ends. */
export type OnEnd = (cleanUp: () => unknown) => void;

/**
 * Tests that also fail when their work leaves a rejection that nobody handles: it would end the process of an app.
 *
 * @param timeoutMs longest time for one test; default: as long as a timer can wait
 */
export function contractTests<Check>(
  checks: Readonly<Record<string, Check>>,
  perform: (check: Check, onEnd: OnEnd) => Promise<void>,
  timeoutMs = 2 ** 31 - 1,
): ContractTest[] {
  const timely = async (work: () => unknown): Promise<void> => {
    await within(timeoutMs, work, () => `did not settle within ${timeoutMs} ms`);
  };
  const run = async (check: Check): Promise<void> => {
    const cleanUps: (() => unknown)[] = [];
    const unhandled: string[] = [];
    const listener = (reason: unknown): number => unhandled.push(String(reason));
    process.on('unhandledRejection', listener);
    try {
      await timely(() => perform(check, (cleanUp) => cleanUps.push(cleanUp)));
    } finally {
      for (const cleanUp of cleanUps) {
        await timely(cleanUp);
      }
      await settlePromises();
      await settlePromises();
      process.off('unhandledRejection', listener);
    }
    assert.deepEqual(unhandled, [], `nobody handles a rejection: ${unhandled.join('; ')}`);
  };
  return Object.entries(checks).map(([name, check]) => ({ name, run: () => run(check) }));
}

/** Integers that look random and are the same in every run: from 0, below a limit. */
export function randomIntegers(): (limit: number) => number {
  let state = 1;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** Calls what is tested as its model, and fails where something else comes of it. */
export function comparison<T>(
  tested: T,
  model: T,
  around: (one: T, call: () => unknown) => Promise<unknown>,
): (method: keyof T, ...args: unknown[]) => Promise<void> {
  const calls: string[] = [];
  return async (method, ...args) => {
    calls.push(`${String(method)}(${args.map((arg) => JSON.stringify(arg)).join(', ')})`);
    const outcomeOf = (one: T): Promise<unknown> =>
      around(one, (one[method] as (...all: unknown[]) => unknown).bind(one, ...args));
    const [expected, found] = [await outcomeOf(model), await outcomeOf(tested)];
    try {
      assert.deepEqual(found, expected);
    } catch (error) {
      assert.fail(`after ${calls.slice(-10).join(', ')}: ${(error as Error).message}`);
    }
  };
}
