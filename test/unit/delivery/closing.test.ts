import { describe, expect, it } from '@jest/globals';
import type { Delivering } from '../../support/delivery.js';
import {
  balance,
  DELIVERED,
  delivering,
  retryable,
} from '../../support/delivery.js';

const closed = async (run: Delivering, timeoutMs = 8_000) => {
  const started = run.clock.monotonicMs();
  let endedAt = Infinity;
  const closing = run.loop.close({ timeoutMs }).then(() => {
    endedAt = run.clock.monotonicMs();
  });
  await run.clock.advance(timeoutMs);
  await closing;
  return endedAt - started;
};

describe('close', () => {
  it('delivers what waits, without delay', async () => {
    const run = delivering();
    run.accept(1_234);
    expect(await closed(run)).toBeLessThan(10);
    expect(run.loop.stats()).toMatchObject({
      ...{ delivered: 1_234, depth: 0, state: 'closed' },
    });
    expect(run.lost).toEqual([]);
  });

  it('has nothing to do twice', async () => {
    const run = delivering();
    expect(await closed(run)).toBeLessThan(10);
    expect(run.loop.close()).toBe(run.loop.close());
    expect(() => {
      run.accept(1);
    }).toThrow('the backend is closed');
    expect(run.loop.stats().dropped).toEqual({ closed: 1 });
  });

  it('makes one attempt at once, then hands over what memory holds', async () => {
    const run = delivering({ answer: () => retryable() });
    run.accept(2_000);
    await run.clock.advance(20_000);
    const before = run.sent.length;
    expect(await closed(run)).toBeLessThan(10);
    expect(run.sent.length).toBe(before + 1);
    expect(run.lost.every(({ reason }) => reason === 'shutdown')).toBe(true);
    expect(run.lost.flatMap(({ events }) => events)).toHaveLength(2_000);
    expect(run.loop.stats()).toMatchObject({ dead: 2_000, depth: 0 });
    expect(balance(run)).toBe(0);
  });

  it('goes on after an attempt that succeeds', async () => {
    const run = delivering({ answer: () => retryable() });
    run.accept(2_000);
    await run.clock.advance(20_000);
    run.answer = () => DELIVERED;
    await closed(run);
    expect(run.arrived.size).toBe(2_000);
    expect(run.lost).toEqual([]);
  });

  it('tries a batch once more whose attempt began before', async () => {
    let fail = (): void => undefined;
    const run = delivering({
      answer: (_, n) =>
        n === 1
          ? new Promise((resolve) => {
              fail = () => {
                resolve(retryable());
              };
            })
          : undefined,
    });
    run.accept(5);
    await run.clock.advance(1_001);
    const closing = run.loop.close({ timeoutMs: 1_000 });
    fail();
    await run.clock.advance(1);
    await closing;
    expect(run.arrived.size).toBe(5);
    expect(run.sent.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  it('keeps the last quarter of its time for onDeadLetter, and awaits it', async () => {
    let done = false;
    const run: Delivering = delivering({
      answer: () => new Promise(() => undefined),
      onDeadLetter: () =>
        new Promise<void>((resolve) => {
          run.clock.setTimeout(() => {
            done = true;
            resolve();
          }, 1_500);
        }),
    });
    run.accept(1_500);
    await run.clock.advance(100);
    expect(await closed(run, 8_000)).toBe(7_500);
    expect(done).toBe(true);
    expect(run.sent[0]?.signal.aborted).toBe(true);
    expect(run.loop.stats()).toMatchObject({ dead: 1_500, depth: 0 });
  });

  it('ends in time, whoever hangs', async () => {
    const run = delivering({
      answer: () => new Promise(() => undefined),
      onDeadLetter: () => new Promise(() => undefined),
    });
    run.accept(1);
    await run.clock.advance(1_001);
    expect(await closed(run, 1_000)).toBe(1_000);
  });

  it('hands over everything when there is no time at all', async () => {
    const run = delivering({ answer: () => new Promise(() => undefined) });
    run.accept(3);
    expect(await closed(run, 0)).toBe(0);
    expect(run.loop.stats()).toMatchObject({ dead: 3, depth: 0 });
  });
});
