import { describe, expect, it } from '@jest/globals';
import { createMetrics, memoryMetricsStore } from '../../../lib/core.js';
import { settlePromises } from '../../../lib/testing/waiting.js';
import { fakeClock } from '../../../lib/testing.js';

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 5, 15, 12);

describe('retention in memory', () => {
  it('removes hours, months, members and facts beside the writes', async () => {
    const store = memoryMetricsStore();
    const clock = fakeClock(NOW);
    const all = createMetrics({ store, clock });
    const kept = createMetrics({
      store,
      clock,
      retention: { hour: { days: 2 }, day: { days: 60 } },
    });
    for (const ago of [0, 1, 3, 40, 100]) {
      const at = NOW - ago * DAY_MS;
      await all.increment('run', 'd', { at });
      await all.addUnique('donors', `donor ${ago}`, { at });
      await all.record('run', 'note', { ago }, { at });
    }
    await kept.increment('run', 'other');
    await settlePromises();

    const hours = await all.series('run', 'd', {
      by: 'hour',
      from: NOW - 5 * DAY_MS,
    });
    expect(hours.filter(({ value }) => value > 0)).toHaveLength(2);
    expect(await all.count('run', 'd', { from: 0 })).toBe(4);
    expect(await all.uniques('donors')).toBe(4);
    expect(await all.facts('run', 'note')).toHaveLength(4);
    expect(await all.total('run', 'd')).toBe(5);
  });

  it('is done once a day, and again where it failed', async () => {
    const store = memoryMetricsStore();
    const clock = fakeClock(NOW);
    const prune = store.prune.bind(store);
    const asked: unknown[] = [];
    let fails = true;
    store.prune = (before) => {
      asked.push(before);
      return fails ? Promise.reject(new Error('down')) : prune(before);
    };
    const metrics = createMetrics({
      store,
      clock,
      retention: { day: { days: 10 } },
    });
    for (let n = 0; n < 3; n++) {
      await metrics.increment('run', 'd');
      await settlePromises();
    }
    fails = false;
    for (let n = 0; n < 3; n++) {
      await metrics.increment('run', 'd');
      await settlePromises();
    }
    expect(asked).toHaveLength(4);

    clock.set(NOW + DAY_MS);
    await metrics.increment('run', 'd');
    expect(asked).toHaveLength(5);
    expect(asked.at(-1)).toEqual({
      hours: undefined,
      days: Math.floor(NOW / DAY_MS) + 1 - 10,
    });
  });

  it('counts a range that lies before it as nothing', async () => {
    const metrics = createMetrics({
      store: memoryMetricsStore(),
      clock: fakeClock(NOW),
      retention: { day: { days: 10 } },
    });
    const range = { from: '2026-01-01', to: '2026-02-01' };
    await metrics.increment('run', 'd', { at: '2026-01-15' });
    await metrics.record('run', 'note', { n: 1 }, { at: '2026-01-15' });

    expect(await metrics.count('run', 'd', range)).toBe(0);
    expect(await metrics.facts('run', 'note', range)).toEqual([]);
    expect(await metrics.uniques('donors', range)).toBe(0);
  });

  it('refuses a day whose hour would not be exact', async () => {
    const metrics = createMetrics({
      store: memoryMetricsStore(),
      clock: fakeClock(NOW),
    });
    const by = Number.MAX_SAFE_INTEGER;
    await metrics.increment('run', 'd', { by });
    await metrics.incrementTotal('run', 'd', { by: -by });

    await expect(metrics.increment('run', 'd')).rejects.toThrow(RangeError);
    expect(await metrics.total('run', 'd')).toBe(0);
  });
});
