import assert from 'node:assert/strict';
import type { CounterKey } from '../metrics/metrics.js';
import type { MetricsCheck } from './metrics-bench.js';
import { assertRefused } from './metrics-bench.js';

/** Names that a store may take apart, join to others, or cut. */
const HOSTILE_NAMES: readonly string[] = [
  ...['a', 'A', 'a:b', 'a:b:c', 'a|b', 'a#b', 'a}b', 'a{b}', '{', '}', '{}'],
  ...['%', '%7D', ' ', '  ', '\n', '\0', 'a\0b', '\u0001', '*', '?', '[a]'],
  ...['\\', 'é', 'e\u0301', '日本', '🎈', '__proto__', 'constructor', '0'],
  ...['undefined', 'null', '-1', 'ü'.repeat(256), 'a'.repeat(512)],
];

/** What every store keeps about counters, by the name of its test. */
export const METRICS_COUNTER_CHECKS: Readonly<Record<string, MetricsCheck>> = {
  'counts, up and down': async ({ metrics }) => {
    assert.equal(await metrics.total('run', 'donations'), 0);
    assert.equal(await metrics.increment('run', 'donations'), 1);
    assert.equal(await metrics.increment('run', 'donations', { by: 41 }), 42);
    assert.equal(await metrics.increment('run', 'donations', { by: -50 }), -8);
    assert.equal(await metrics.increment('run', 'donations', { by: 0 }), -8);
    assert.equal(await metrics.total('run', 'donations'), -8);
    assert.equal(await metrics.count('run', 'donations', { from: 0 }), -8);
  },

  'counts every pair of many subjects and metrics': async ({ metrics }) => {
    await metrics.increment('b', 'y', { by: 10 });
    const totals = await metrics.increment(['a', 'b'], ['x', 'y', 'x']);
    assert.deepEqual(totals, [1, 1, 2, 1, 11, 2]);
    assert.deepEqual(await metrics.increment([], ['x']), []);
    assert.deepEqual(
      await metrics.totals([
        ['b', 'y'],
        ['a', 'x'],
        ['c', 'x'],
      ]),
      [11, 2, 0],
    );
  },

  'keeps the largest integers exact, and refuses to go beyond them': async ({ metrics }) => {
    const most = Number.MAX_SAFE_INTEGER;
    assert.equal(await metrics.increment('run', 'cents', { by: most }), most);
    const at = '2026-01-15';
    await assertRefused(metrics.increment('run', ['other', 'cents'], { at }), 'RangeError');
    await assertRefused(metrics.set('run', 'cents', { at, value: -most }), 'RangeError');
    assert.deepEqual(
      await metrics.counts(
        [
          ['run', 'other'],
          ['run', 'cents'],
        ],
        { from: at, to: at },
      ),
      [0, most],
    );
    assert.equal(await metrics.total('run', 'other'), 0);
    await metrics.increment('run', 'cents', { by: -most });
    await metrics.increment('run', 'cents', { by: -most });
    assert.equal(await metrics.total('run', 'cents'), -most);
  },

  'keeps all-time totals apart from days': async ({ metrics }) => {
    await metrics.increment('run', 'donations', { by: 2 });
    const totals = await metrics.incrementTotal(['run'], ['donations'], {
      by: 5,
    });
    assert.deepEqual(totals, [7]);
    assert.equal(await metrics.count('run', 'donations', { from: 0 }), 2);
  },

  'sums days over months and years, in any order, with open ends': async ({ metrics }) => {
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
    assert.equal(await count('2024-02-29', '2026-01-01'), 111);
    assert.equal(await count('2026-01-01', '2024-02-29'), 111);
    assert.equal(await count('2025-12-31', '2025-12-31'), 10);
    assert.equal(await count('2024-03-01', '2025-12-30'), 0);
    assert.equal(await count(undefined, '2025-12-31'), 11);
    assert.equal(await count('2025-12-31'), 1_110);
    assert.equal(await count('2026-02-01'), 0);
    assert.equal(await count(), 11_111);
  },

  'derives days, weeks, months and years from the same values': async (bench) => {
    const { metrics } = bench;
    await metrics.increment('run', 'd', { at: '2025-12-28', by: 1 });
    await metrics.increment('run', 'd', { at: '2025-12-29', by: 20 });
    await metrics.increment('run', 'd', { at: '2026-01-04', by: 300 });
    await metrics.increment('run', 'd', { at: '2026-02-28', by: 4_000 });
    await metrics.increment('run', 'd', { at: '2026-03-01', by: 50_000 });
    assert.deepEqual(
      await metrics.series('run', 'd', {
        by: 'week',
        from: '2025-12-31',
        limit: 2,
      }),
      [
        { bucket: '2025-12-29', value: 320 },
        { bucket: '2026-01-05', value: 0 },
      ],
    );
    assert.deepEqual(
      await bench.values('run', 'd', {
        by: 'month',
        from: '2025-11-30',
        to: '2026-03-01',
      }),
      [0, 21, 300, 4_000, 50_000],
    );
    assert.deepEqual(await metrics.series('run', 'd', { by: 'year', from: '2025-06-01' }), [
      { bucket: '2025-01-01', value: 21 },
      { bucket: '2026-01-01', value: 54_300 },
    ]);
    assert.deepEqual(
      await metrics.series('run', 'd', {
        by: 'day',
        from: '2026-03-01',
        to: '2026-02-27',
      }),
      [
        { bucket: '2026-02-27', value: 0 },
        { bucket: '2026-02-28', value: 4_000 },
        { bucket: '2026-03-01', value: 50_000 },
      ],
    );
  },

  'keeps hours': async ({ metrics }) => {
    await metrics.increment('run', 'd', { at: Date.UTC(2025, 11, 31, 23, 59) });
    await metrics.increment('run', 'd', { at: Date.UTC(2026, 0, 1), by: 2 });
    await metrics.increment('run', 'd', { at: Date.UTC(2026, 0, 1, 0, 59) });
    assert.deepEqual(
      await metrics.series('run', 'd', {
        by: 'hour',
        from: Date.UTC(2025, 11, 31, 22),
        limit: 4,
      }),
      [
        { bucket: '2025-12-31T22', value: 0 },
        { bucket: '2025-12-31T23', value: 1 },
        { bucket: '2026-01-01T00', value: 3 },
        { bucket: '2026-01-01T01', value: 0 },
      ],
    );
  },

  'answers many series in their order': async ({ metrics }) => {
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
      assert.deepEqual(
        found.map((points) => points.map(({ value }) => value)),
        [[2], [0], [1]],
      );
    }
    assert.deepEqual(await metrics.seriesMany([], { by: 'day', from: '2026-01-01' }), []);
  },

  'sets a day, and the total and the hours follow': async (bench) => {
    const { metrics } = bench;
    await metrics.increment('run', 'd', { by: 3 });
    await metrics.increment('run', 'd', { by: 4, at: '2026-01-14' });
    await metrics.set('run', 'd', { value: 10 });
    await metrics.set('run', 'd', { at: '2026-01-13', value: 1 });
    await metrics.set('run', 'd', { at: '2026-01-13', value: 1 });
    assert.equal(await metrics.total('run', 'd'), 15);
    assert.deepEqual(await bench.values('run', 'd', { by: 'day', from: '2026-01-12' }), [0, 1, 4, 10]);
    const hours = await bench.values('run', 'd', {
      by: 'hour',
      from: '2026-01-15',
      to: '2026-01-15',
    });
    assert.deepEqual([hours[0], hours[10], hours.length], [7, 3, 24]);
  },

  'loses nothing to increments at the same time': async ({ metrics }) => {
    const rounds = Array.from({ length: 200 }, (_, index) => index);
    await Promise.all(
      rounds.map((index) =>
        index % 2 === 0
          ? metrics.increment('run', 'd')
          : metrics.increment([`run-${index % 10}`, 'run'], ['d', 'e']),
      ),
    );
    assert.deepEqual(
      await metrics.counts(
        [
          ['run', 'd'],
          ['run', 'e'],
          ['run-3', 'e'],
        ],
        { from: '2026-01-15' },
      ),
      [200, 100, 20],
    );
  },

  'never mixes up names': async ({ metrics }) => {
    const pairs = HOSTILE_NAMES.flatMap((subject, index) => [
      [subject, HOSTILE_NAMES[(index * 7 + 1) % HOSTILE_NAMES.length] as string],
      [subject, 'plain'],
      ['plain', subject],
    ]) as readonly CounterKey[];
    const counters = [...new Map(pairs.map((pair) => [JSON.stringify(pair), pair])).values()];
    await Promise.all(
      counters.map(([subject, metric], index) => metrics.increment(subject, metric, { by: index + 1 })),
    );
    const expected = counters.map((_, index) => index + 1);
    assert.deepEqual(await metrics.totals(counters), expected);
    assert.deepEqual(await metrics.counts(counters, { to: '2026-01-15' }), expected);
  },

  'writes nothing when an argument is wrong': async ({ metrics }) => {
    await assertRefused(metrics.increment(['a', ''], ['d']), 'RangeError');
    await assertRefused(metrics.increment('a', 'd', { by: 0.5 }), 'RangeError');
    await assertRefused(metrics.set('a', 'd', { value: Number.NaN }), 'RangeError');
    assert.equal(await metrics.total('a', 'd'), 0);
  },
};
