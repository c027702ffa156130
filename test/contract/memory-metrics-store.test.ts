import { beforeEach, describe, expect, it } from '@jest/globals';
import { createMetrics, memoryMetricsStore } from '../../lib/core.js';
import type { CounterKey, JsonObject, Metrics, MetricsOptions, MetricsStore } from '../../lib/core.js';
import { fakeClock, metricsStoreContract } from '../../lib/testing.js';

/*
 * Metrics in the store with which `metricsStoreContract` compares all others: what they promise is stated here, one by
 * one.
 */
let store: MetricsStore;
let metrics: Metrics;

/** It is Thursday, 2026-01-15, half past ten (UTC). */
const metricsWith = (options: Omit<MetricsOptions, 'store'>): Metrics =>
  createMetrics({ store, clock: fakeClock(Date.UTC(2026, 0, 15, 10, 30)), ...options });

beforeEach(() => {
  store = memoryMetricsStore();
  metrics = metricsWith({});
});

/** The values of a series, without its buckets. */
async function valuesOf(...[subject, metric, options]: Parameters<Metrics['series']>): Promise<number[]> {
  const points = await metrics.series(subject, metric, options);
  return points.map(({ value }) => value);
}

describe('memoryMetricsStore keeps the contract of a metrics store', () => {
  it.each(metricsStoreContract(memoryMetricsStore))('$name', ({ run }) => run());
});

describe('counters in memory', () => {
  it('counts, up and down', async () => {
    expect(await metrics.total('run', 'donations')).toBe(0);
    expect(await metrics.increment('run', 'donations')).toBe(1);
    expect(await metrics.increment('run', 'donations', { by: 41 })).toBe(42);
    expect(await metrics.increment('run', 'donations', { by: -50 })).toBe(-8);
    expect(await metrics.increment('run', 'donations', { by: 0 })).toBe(-8);
    expect(await metrics.total('run', 'donations')).toBe(-8);
    expect(await metrics.count('run', 'donations', { from: 0 })).toBe(-8);
  });

  it('counts every pair of many subjects and metrics', async () => {
    await metrics.increment('b', 'y', { by: 10 });
    const totals = await metrics.increment(['a', 'b'], ['x', 'y', 'x']);
    expect(totals).toEqual([1, 1, 2, 1, 11, 2]);
    expect(await metrics.increment([], ['x'])).toEqual([]);
    expect(
      await metrics.totals([
        ['b', 'y'],
        ['a', 'x'],
        ['c', 'x'],
      ]),
    ).toEqual([11, 2, 0]);
  });

  it('keeps the largest integers exact, and refuses to go beyond them', async () => {
    const most = Number.MAX_SAFE_INTEGER;
    expect(await metrics.increment('run', 'cents', { by: most })).toBe(most);
    const at = '2026-01-15';
    await expect(metrics.increment('run', ['other', 'cents'], { at })).rejects.toMatchObject({
      name: 'RangeError',
    });
    await expect(metrics.set('run', 'cents', { at, value: -most })).rejects.toMatchObject({
      name: 'RangeError',
    });
    expect(
      await metrics.counts(
        [
          ['run', 'other'],
          ['run', 'cents'],
        ],
        { from: at, to: at },
      ),
    ).toEqual([0, most]);
    expect(await metrics.total('run', 'other')).toBe(0);
    await metrics.increment('run', 'cents', { by: -most });
    await metrics.increment('run', 'cents', { by: -most });
    expect(await metrics.total('run', 'cents')).toBe(-most);
  });

  it('keeps all-time totals apart from days', async () => {
    await metrics.increment('run', 'donations', { by: 2 });
    const totals = await metrics.incrementTotal(['run'], ['donations'], {
      by: 5,
    });
    expect(totals).toEqual([7]);
    expect(await metrics.count('run', 'donations', { from: 0 })).toBe(2);
  });

  it('sums days over months and years, in any order, with open ends', async () => {
    const days = ['2024-02-29', '2025-12-31', '2026-01-01', '2026-01-15'];
    for (const [index, at] of days.entries()) {
      await metrics.increment('run', 'd', { at, by: 10 ** index });
    }
    await metrics.increment('run', 'd', { at: '2027-01-01', by: 10 ** 4 });
    const count = (from?: string, to?: string): Promise<number> =>
      metrics.count('run', 'd', {
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
      });
    expect(await count('2024-02-29', '2026-01-01')).toBe(111);
    expect(await count('2026-01-01', '2024-02-29')).toBe(111);
    expect(await count('2025-12-31', '2025-12-31')).toBe(10);
    expect(await count('2024-03-01', '2025-12-30')).toBe(0);
    expect(await count(undefined, '2025-12-31')).toBe(11);
    expect(await count('2025-12-31')).toBe(1_110);
    expect(await count('2026-02-01')).toBe(0);
    expect(await count()).toBe(11_111);
  });

  it('derives days, weeks, months and years from the same values', async () => {
    await metrics.increment('run', 'd', { at: '2025-12-28', by: 1 });
    await metrics.increment('run', 'd', { at: '2025-12-29', by: 20 });
    await metrics.increment('run', 'd', { at: '2026-01-04', by: 300 });
    await metrics.increment('run', 'd', { at: '2026-02-28', by: 4_000 });
    await metrics.increment('run', 'd', { at: '2026-03-01', by: 50_000 });
    expect(
      await metrics.series('run', 'd', {
        by: 'week',
        from: '2025-12-31',
        limit: 2,
      }),
    ).toEqual([
      { bucket: '2025-12-29', value: 320 },
      { bucket: '2026-01-05', value: 0 },
    ]);
    expect(
      await valuesOf('run', 'd', {
        by: 'month',
        from: '2025-11-30',
        to: '2026-03-01',
      }),
    ).toEqual([0, 21, 300, 4_000, 50_000]);
    expect(await metrics.series('run', 'd', { by: 'year', from: '2025-06-01' })).toEqual([
      { bucket: '2025-01-01', value: 21 },
      { bucket: '2026-01-01', value: 54_300 },
    ]);
    expect(
      await metrics.series('run', 'd', {
        by: 'day',
        from: '2026-03-01',
        to: '2026-02-27',
      }),
    ).toEqual([
      { bucket: '2026-02-27', value: 0 },
      { bucket: '2026-02-28', value: 4_000 },
      { bucket: '2026-03-01', value: 50_000 },
    ]);
  });

  it('keeps hours', async () => {
    await metrics.increment('run', 'd', { at: Date.UTC(2025, 11, 31, 23, 59) });
    await metrics.increment('run', 'd', { at: Date.UTC(2026, 0, 1), by: 2 });
    await metrics.increment('run', 'd', { at: Date.UTC(2026, 0, 1, 0, 59) });
    expect(
      await metrics.series('run', 'd', {
        by: 'hour',
        from: Date.UTC(2025, 11, 31, 22),
        limit: 4,
      }),
    ).toEqual([
      { bucket: '2025-12-31T22', value: 0 },
      { bucket: '2025-12-31T23', value: 1 },
      { bucket: '2026-01-01T00', value: 3 },
      { bucket: '2026-01-01T01', value: 0 },
    ]);
  });

  it('answers many series in their order', async () => {
    await metrics.increment('a', 'x');
    await metrics.increment('b', 'y', { by: 2 });
    const counters: readonly CounterKey[] = [
      ['b', 'y'],
      ['a', 'y'],
      ['a', 'x'],
    ];
    for (const by of ['hour', 'day', 'year'] as const) {
      const found = await metrics.seriesMany(counters, {
        by,
        from: Date.UTC(2026, 0, 15, 10),
      });
      expect(found.map((points) => points.map(({ value }) => value))).toEqual([[2], [0], [1]]);
    }
    expect(await metrics.seriesMany([], { by: 'day', from: '2026-01-01' })).toEqual([]);
  });

  it('sets a day, and the total and the hours follow', async () => {
    await metrics.increment('run', 'd', { by: 3 });
    await metrics.increment('run', 'd', { by: 4, at: '2026-01-14' });
    await metrics.set('run', 'd', { value: 10 });
    await metrics.set('run', 'd', { at: '2026-01-13', value: 1 });
    await metrics.set('run', 'd', { at: '2026-01-13', value: 1 });
    expect(await metrics.total('run', 'd')).toBe(15);
    expect(await valuesOf('run', 'd', { by: 'day', from: '2026-01-12' })).toEqual([0, 1, 4, 10]);
    const hours = await valuesOf('run', 'd', {
      by: 'hour',
      from: '2026-01-15',
      to: '2026-01-15',
    });
    expect([hours[0], hours[10], hours.length]).toEqual([7, 3, 24]);
  });

  it('writes nothing when an argument is wrong', async () => {
    await expect(metrics.increment(['a', ''], ['d'])).rejects.toMatchObject({ name: 'RangeError' });
    await expect(metrics.increment('a', 'd', { by: 0.5 })).rejects.toMatchObject({ name: 'RangeError' });
    await expect(metrics.set('a', 'd', { value: Number.NaN })).rejects.toMatchObject({ name: 'RangeError' });
    expect(await metrics.total('a', 'd')).toBe(0);
  });
});

describe('members, facts, clearing and retention in memory', () => {
  it('counts distinct members exactly while they are few', async () => {
    const add = (from: number, to: number, at: string): Promise<unknown> =>
      Promise.all(
        Array.from({ length: to - from }, (_, index) =>
          metrics.addUnique('donors', `donor-${from + index}`, { at }),
        ),
      );
    expect(await metrics.uniques('donors')).toBe(0);
    await add(0, 600, '2025-12-31');
    await add(300, 1_000, '2026-01-01');
    await add(0, 10, '2026-01-01');
    expect(await metrics.uniques('donors')).toBe(1_000);
    const within = (from: string, to: string): Promise<number> => metrics.uniques('donors', { from, to });
    expect(await within('2025-12-31', '2025-12-31')).toBe(600);
    expect(await within('2026-01-10', '2026-01-01')).toBe(710);
    expect(await metrics.uniques('donors', { to: '2025-12-31' })).toBe(600);
    expect(await metrics.uniques('donors', { from: '2026-01-02' })).toBe(0);
  });

  it('keeps the members of subjects apart', async () => {
    await metrics.addUnique('donors', 'anna');
    await metrics.addUnique('donors', 'anna', { subject: 'run' });
    await metrics.addUnique('donors', 'bert', { subject: 'run' });
    await metrics.addUnique('visitors', 'carl', { subject: 'run' });
    expect(await metrics.uniques('donors')).toBe(1);
    expect(await metrics.uniques('donors', { subject: 'run' })).toBe(2);
    expect(await metrics.uniques('donors', { subject: 'donors' })).toBe(0);
  });

  it('keeps facts as they were given, in order', async () => {
    const first: JsonObject = {
      text: '01234',
      separators: 'a#b|c',
      number: 12.5,
      yes: true,
      none: null,
      nested: { list: [1, '1', { é: '🎈' }], empty: {} },
      '': '',
    };
    await metrics.record('run', 'note', first, { at: '2026-01-02' });
    await metrics.record('run', 'note', { n: 3 });
    await metrics.record('run', 'note', { n: 4 });
    await metrics.record('run', 'note', { n: 2 }, { at: '2026-01-14' });
    const all = await metrics.facts('run', 'note');
    expect(all[0]).toEqual({ at: '2026-01-02T00:00:00.000Z', facts: first });
    expect(all.slice(1).map(({ facts }) => facts)).toEqual([{ n: 2 }, { n: 3 }, { n: 4 }]);
    const range = { from: '2026-01-14', to: '2026-01-03' };
    expect(await metrics.facts('run', 'note', range)).toEqual([
      { at: '2026-01-14T00:00:00.000Z', facts: { n: 2 } },
    ]);
    expect(await metrics.facts('run', 'other')).toEqual([]);
  });

  it('finds the facts of every subject', async () => {
    await metrics.record('b', 'note', { of: 'b' });
    await metrics.record('a:1', 'note', { of: 'a', n: 1 });
    await metrics.record('a:1', 'note', { of: 'a', n: 2 });
    await metrics.record('a:1', 'note:2', { of: 'other' });
    const found = await metrics.factsOf('note');
    expect([...found.keys()].sort()).toEqual(['a:1', 'b']);
    expect(found.get('a:1')?.map(({ facts }) => facts)).toEqual([
      { of: 'a', n: 1 },
      { of: 'a', n: 2 },
    ]);
    expect((await metrics.factsOf('nothing')).size).toBe(0);
  });

  it('clears a subject', async () => {
    await fill();
    await metrics.clear({ subject: 'a' });
    expect(await left()).toEqual({
      'a:x': 0,
      'a:y': 0,
      'b:x': 4,
      'b:y': 4,
      x: 1,
      y: 1,
    });
    expect([...(await metrics.factsOf('x')).keys()]).toEqual(['b']);
  });

  it('clears a metric', async () => {
    await fill();
    await metrics.clear({ metric: 'x' });
    expect(await left()).toEqual({
      'a:x': 0,
      'a:y': 4,
      'b:x': 0,
      'b:y': 4,
      x: 0,
      y: 1,
    });
    expect((await metrics.factsOf('x')).size).toBe(0);
  });

  it('clears one counter', async () => {
    await fill();
    await metrics.clear({ subject: 'a', metric: 'x' });
    expect(await left()).toEqual({
      'a:x': 0,
      'a:y': 4,
      'b:x': 4,
      'b:y': 4,
      x: 1,
      y: 1,
    });
  });

  it('clears everything, and counts anew', async () => {
    await fill();
    await metrics.clear({});
    expect(await left()).toEqual({
      'a:x': 0,
      'a:y': 0,
      'b:x': 0,
      'b:y': 0,
      x: 0,
      y: 0,
    });
    await fill();
    expect((await left())['a:x']).toBe(4);
  });

  it('keeps what retention keeps, and totals for ever', async () => {
    const metrics = metricsWith({
      retention: { hour: { days: 2 }, day: { days: 40 } },
    });
    const days = ['2025-11-01', '2025-12-06', '2026-01-12', '2026-01-13'];
    for (const at of [...days, '2026-01-15']) {
      await metrics.increment('run', 'd', { at });
      await metrics.addUnique('donors', `donor of ${at}`, { at });
      await metrics.record('run', 'note', { at }, { at });
    }
    expect(await metrics.total('run', 'd')).toBe(5);
    expect(await metrics.count('run', 'd', { from: 0 })).toBe(4);
    expect(await metrics.uniques('donors', { from: 0 })).toBe(4);
    expect((await metrics.facts('run', 'note')).length).toBe(4);
    const months = await metrics.series('run', 'd', {
      by: 'month',
      from: '2025-11-01',
    });
    expect(months.map(({ value }) => value)).toEqual([0, 1, 3]);
    const hours = await metrics.series('run', 'd', {
      by: 'hour',
      from: '2026-01-12',
    });
    const counted = hours.filter(({ value }) => value > 0);
    expect(counted.map(({ bucket }) => bucket)).toEqual(['2026-01-13T00', '2026-01-15T00']);
  });

  it('closes once, however often it is asked to', async () => {
    await metrics.increment('run', 'd');
    await Promise.all([metrics.close(), metrics.close()]);
    await expect(metrics.increment('run', 'd')).rejects.toMatchObject({ code: 'closed' });
    await expect(metrics.total('run', 'd')).rejects.toMatchObject({ code: 'closed' });
  });
});

async function fill(): Promise<void> {
  await metrics.increment(['a', 'b'], ['x', 'y']);
  for (const metric of ['x', 'y']) {
    for (const subject of ['a', 'b']) {
      await metrics.addUnique(metric, 'member', { subject });
      await metrics.record(subject, metric, { subject });
    }
    await metrics.addUnique(metric, 'member');
  }
}

/** How much there is of each: total, day, members and facts of a counter, members of a metric. */
async function left(): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const metric of ['x', 'y']) {
    for (const subject of ['a', 'b']) {
      found[`${subject}:${metric}`] =
        (await metrics.total(subject, metric)) +
        (await metrics.count(subject, metric, { from: 0 })) +
        (await metrics.uniques(metric, { subject })) +
        (await metrics.facts(subject, metric)).length;
    }
    found[metric] = await metrics.uniques(metric);
  }
  return found;
}
