import { describe, expect, it } from '@jest/globals';
import type { Backlog } from '../../../lib/delivery/backlog.js';
import { memoryBacklog } from '../../../lib/delivery/memory-backlog.js';
import { aroundBacklog } from '../../support/around-backlog.js';
import { delivering, retryable } from '../../support/delivery.js';

interface Troubles {
  lease: number;
  settle: number;
}

/** A backlog that keeps to the port on a storage that fails, and outlives the process if it is told so. */
function troubled(troubles: Troubles, lasting = false): Backlog {
  const trouble = (what: keyof Troubles) => {
    if (troubles[what] > 0) {
      troubles[what]--;
      throw new Error(`no ${what}`);
    }
  };
  return aroundBacklog(memoryBacklog(), {
    lasting,
    lease: () => {
      trouble('lease');
    },
    settle: async () => {
      await Promise.resolve();
      trouble('settle');
    },
  });
}

describe('a storage that fails', () => {
  it('to lease is asked again, and reported once', async () => {
    const run = delivering({ backlog: troubled({ lease: 3, settle: 0 }) });
    run.accept(5);
    await run.clock.advance(5_000);
    expect(run.loop.stats()).toMatchObject({ delivered: 5, depth: 0 });
    expect(run.reports).toMatchObject([{ code: 'backlog_failed', error: { message: 'no lease' } }]);
  });

  it('to settle is asked again, and nothing is sent twice meanwhile', async () => {
    const run = delivering({ backlog: troubled({ lease: 0, settle: 3 }) });
    run.accept(5);
    await run.clock.advance(6_000);
    expect(run.loop.stats()).toMatchObject({ delivered: 5, depth: 0 });
    expect(run.sent).toHaveLength(1);
    expect(run.reports).toMatchObject([{ code: 'backlog_failed' }]);
    run.accept(1);
    await run.clock.advance(1_001);
    expect(run.loop.stats()).toMatchObject({ delivered: 6 });
  });

  it('or anything else that breaks in the middle of an attempt, stops nothing', async () => {
    let ids = 0;
    const run = delivering({
      newId: () => {
        ids++;
        if (ids === 3) {
          throw new Error('no id');
        }
        return `batch-${ids}`;
      },
      answer: ({ ids: some }) => (some.length > 1 ? { status: 'tooLarge' } : undefined),
    });
    run.accept(4);
    await run.clock.advance(5_000);
    expect(run.loop.stats()).toMatchObject({ delivered: 4, depth: 0 });
    expect(run.reports).toMatchObject([{ code: 'backlog_failed', error: { message: 'no id' } }]);
    run.accept(1);
    await run.clock.advance(1_001);
    expect(run.loop.stats()).toMatchObject({ delivered: 5 });
  });

  it('does not keep close from ending in time', async () => {
    const run = delivering({ backlog: troubled({ lease: 0, settle: 1e9 }) });
    run.accept(5);
    const closing = run.loop.close({ timeoutMs: 1_000 });
    await run.clock.advance(1_000);
    await expect(closing).resolves.toBeUndefined();
  });
});

describe('a storage that lasts', () => {
  it('keeps at the end what was not delivered', async () => {
    const run = delivering({
      backlog: troubled({ lease: 0, settle: 0 }, true),
      answer: () => retryable(),
    });
    run.accept(1_200);
    await run.clock.advance(5_000);
    const closing = run.loop.close({ timeoutMs: 1_000 });
    await run.clock.advance(1_000);
    await closing;
    expect(run.lost).toEqual([]);
    expect(run.loop.stats()).toMatchObject({ dead: 0, depth: 1_200 });
  });
});

describe('what was leased while the destination is away', () => {
  it('may be partly too old: the rest goes on', async () => {
    const run = delivering({
      retry: { maxAgeMs: 60_000 },
      batch: { maxEvents: 1 },
      answer: () => retryable(),
      concurrency: { min: 1, max: 1 },
    });
    run.accept(4);
    await run.clock.advance(50_000);
    const young = run.accept(3);
    await run.clock.advance(12_000);
    run.answer = () => ({ status: 'delivered' });
    await run.clock.advance(40_000);
    expect([...run.arrived.keys()]).toEqual(expect.arrayContaining(young.map(({ id }) => id)));
    expect(run.loop.stats()).toMatchObject({ dead: 4, delivered: 3 });
  });
});
