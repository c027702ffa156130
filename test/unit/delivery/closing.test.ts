import { describe, expect, it } from '@jest/globals';
import { memoryBacklog } from '../../../lib/delivery/memory-backlog.js';
import { aroundBacklog } from '../../support/around-backlog.js';
import type { Delivering } from '../../support/delivery.js';
import { balance, DELIVERED, delivering, retryable } from '../../support/delivery.js';

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

/** The reason of each event that was lost. */
const lostBy = (run: Delivering): string[] =>
  run.lost.flatMap(({ events, reason }) => events.map(() => reason));

/** A lease of two events is out, of which one is too old; until the storage has recorded that, both are on their way. */
async function whileTakenIn(): Promise<{
  run: Delivering;
  record: () => void;
}> {
  let leases = 0;
  let record = (): void => undefined;
  const recorded = new Promise<void>((resolve) => {
    record = resolve;
  });
  const run = delivering({
    backlog: aroundBacklog(memoryBacklog(), {
      lease: () => {
        leases++;
      },
      settle: () => recorded,
    }),
    retry: { maxAgeMs: 60_000 },
    concurrency: { min: 1, max: 1 },
    answer: () => retryable(),
  });
  // As long as the first one lives, there is no room for the others.
  run.accept(1);
  await run.clock.advance(1_001);
  run.accept(1);
  await run.clock.advance(50_000);
  run.accept(1);
  while (leases < 2) {
    await run.clock.advance(500);
  }
  return { run, record };
}

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

  it('delivers what is on its way out of the backlog', async () => {
    const { run, record } = await whileTakenIn();
    run.answer = () => DELIVERED;
    const closing = run.loop.close({ timeoutMs: 8_000 });
    await run.clock.advance(1_000);
    record();
    await run.clock.advance(0);
    await closing;
    expect(run.arrived.size).toBe(1);
    expect(lostBy(run)).toEqual(['expired', 'expired']);
    expect(run.loop.stats()).toMatchObject({ delivered: 1, dead: 2, depth: 0 });
  });

  it('hands over what is still on its way out of the backlog when there is no time to send it', async () => {
    const { run, record } = await whileTakenIn();
    const closing = run.loop.close({ timeoutMs: 8_000 });
    await run.clock.advance(6_500);
    record();
    await run.clock.advance(0);
    await closing;
    expect(lostBy(run)).toEqual(['expired', 'expired', 'shutdown']);
    expect(run.loop.stats()).toMatchObject({ delivered: 0, dead: 3, depth: 0 });
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
