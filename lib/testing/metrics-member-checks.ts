import assert from 'node:assert/strict';
import type { JsonObject } from '../core/json.js';
import type { MetricsBench, MetricsCheck } from './metrics-bench.js';

const EXACT = 1_000;
const MANY = 20_000;
const TOLERANCE = 0.02;

/** What every store keeps about members, facts, clearing and retention, by the name of its test. */
export const METRICS_MEMBER_CHECKS: Readonly<Record<string, MetricsCheck>> = {
  'counts distinct members exactly while they are few': async ({ metrics }) => {
    const add = (from: number, to: number, at: string): Promise<unknown> =>
      Promise.all(
        Array.from({ length: to - from }, (_, index) =>
          metrics.addUnique('donors', `donor-${from + index}`, { at }),
        ),
      );
    assert.equal(await metrics.uniques('donors'), 0);
    await add(0, 600, '2025-12-31');
    await add(300, EXACT, '2026-01-01');
    await add(0, 10, '2026-01-01');
    assert.equal(await metrics.uniques('donors'), EXACT);
    const within = (from: string, to: string): Promise<number> => metrics.uniques('donors', { from, to });
    assert.equal(await within('2025-12-31', '2025-12-31'), 600);
    assert.equal(await within('2026-01-10', '2026-01-01'), 710);
    assert.equal(await metrics.uniques('donors', { to: '2025-12-31' }), 600);
    assert.equal(await metrics.uniques('donors', { from: '2026-01-02' }), 0);
  },

  'counts many distinct members within 2 %': async ({ store, metrics }) => {
    const day = Date.UTC(2026, 0, 14) / 86_400_000;
    for (let from = 0; from < MANY; from += EXACT) {
      const hashes = Array.from({ length: EXACT }, (_, index) => spread(from + index));
      await store.addMembers([{ metric: 'donors', day, hashes }], {
        keep: {},
        today: day + 1,
      });
    }
    await metrics.addUnique('donors', 'anna', { at: '2026-01-15' });
    await metrics.addUnique('donors', 'bert', { at: '2026-01-15' });
    const found = await metrics.uniques('donors', { from: '2026-01-14' });
    assert.ok(Math.abs(found / (MANY + 2) - 1) <= TOLERANCE, `counted ${found} of ${MANY + 2}`);
    const today = { from: '2026-01-15', to: '2026-01-15' };
    assert.equal(await metrics.uniques('donors', today), 2);
  },

  'keeps the members of subjects apart': async ({ metrics }) => {
    await metrics.addUnique('donors', 'anna');
    await metrics.addUnique('donors', 'anna', { subject: 'run' });
    await metrics.addUnique('donors', 'bert', { subject: 'run' });
    await metrics.addUnique('visitors', 'carl', { subject: 'run' });
    assert.equal(await metrics.uniques('donors'), 1);
    assert.equal(await metrics.uniques('donors', { subject: 'run' }), 2);
    assert.equal(await metrics.uniques('donors', { subject: 'donors' }), 0);
  },

  'keeps facts as they were given, in order': async ({ metrics }) => {
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
    assert.deepEqual(all[0], { at: '2026-01-02T00:00:00.000Z', facts: first });
    assert.deepEqual(
      all.slice(1).map(({ facts }) => facts),
      [{ n: 2 }, { n: 3 }, { n: 4 }],
    );
    const range = { from: '2026-01-14', to: '2026-01-03' };
    assert.deepEqual(await metrics.facts('run', 'note', range), [
      { at: '2026-01-14T00:00:00.000Z', facts: { n: 2 } },
    ]);
    assert.deepEqual(await metrics.facts('run', 'other'), []);
  },

  'finds the facts of every subject': async ({ metrics }) => {
    await metrics.record('b', 'note', { of: 'b' });
    await metrics.record('a:1', 'note', { of: 'a', n: 1 });
    await metrics.record('a:1', 'note', { of: 'a', n: 2 });
    await metrics.record('a:1', 'note:2', { of: 'other' });
    const found = await metrics.factsOf('note');
    assert.deepEqual([...found.keys()].sort(), ['a:1', 'b']);
    assert.deepEqual(
      found.get('a:1')?.map(({ facts }) => facts),
      [
        { of: 'a', n: 1 },
        { of: 'a', n: 2 },
      ],
    );
    assert.equal((await metrics.factsOf('nothing')).size, 0);
  },

  'clears a subject': async (bench) => {
    await fill(bench);
    await bench.metrics.clear({ subject: 'a' });
    assert.deepEqual(await left(bench), {
      'a:x': 0,
      'a:y': 0,
      'b:x': 4,
      'b:y': 4,
      x: 1,
      y: 1,
    });
    assert.deepEqual([...(await bench.metrics.factsOf('x')).keys()], ['b']);
  },

  'clears a metric': async (bench) => {
    await fill(bench);
    await bench.metrics.clear({ metric: 'x' });
    assert.deepEqual(await left(bench), {
      'a:x': 0,
      'a:y': 4,
      'b:x': 0,
      'b:y': 4,
      x: 0,
      y: 1,
    });
    assert.equal((await bench.metrics.factsOf('x')).size, 0);
  },

  'clears one counter': async (bench) => {
    await fill(bench);
    await bench.metrics.clear({ subject: 'a', metric: 'x' });
    assert.deepEqual(await left(bench), {
      'a:x': 0,
      'a:y': 4,
      'b:x': 4,
      'b:y': 4,
      x: 1,
      y: 1,
    });
  },

  'clears everything, and counts anew': async (bench) => {
    await fill(bench);
    await bench.metrics.clear({});
    assert.deepEqual(await left(bench), {
      'a:x': 0,
      'a:y': 0,
      'b:x': 0,
      'b:y': 0,
      x: 0,
      y: 0,
    });
    await fill(bench);
    assert.equal((await left(bench))['a:x'], 4);
  },

  'keeps what retention keeps, and totals for ever': async (bench) => {
    const metrics = bench.metricsWith({
      retention: { hour: { days: 2 }, day: { days: 40 } },
    });
    const days = ['2025-11-01', '2025-12-06', '2026-01-12', '2026-01-13'];
    for (const at of [...days, '2026-01-15']) {
      await metrics.increment('run', 'd', { at });
      await metrics.addUnique('donors', `donor of ${at}`, { at });
      await metrics.record('run', 'note', { at }, { at });
    }
    assert.equal(await metrics.total('run', 'd'), 5);
    assert.equal(await metrics.count('run', 'd', { from: 0 }), 4);
    assert.equal(await metrics.uniques('donors', { from: 0 }), 4);
    assert.equal((await metrics.facts('run', 'note')).length, 4);
    const months = await metrics.series('run', 'd', {
      by: 'month',
      from: '2025-11-01',
    });
    assert.deepEqual(
      months.map(({ value }) => value),
      [0, 1, 3],
    );
    const hours = await metrics.series('run', 'd', {
      by: 'hour',
      from: '2026-01-12',
    });
    const counted = hours.filter(({ value }) => value > 0);
    assert.deepEqual(
      counted.map(({ bucket }) => bucket),
      ['2026-01-13T00', '2026-01-15T00'],
    );
  },

  'closes once, however often it is asked to': async ({ metrics }) => {
    await metrics.increment('run', 'd');
    await Promise.all([metrics.close(), metrics.close()]);
    await assert.rejects(metrics.increment('run', 'd'), { code: 'closed' });
    await assert.rejects(metrics.total('run', 'd'), { code: 'closed' });
  },
};

/** Spreads numbers over the 53 bits of a hash (the finaliser of SplitMix64, cut). */
function spread(value: number): number {
  const MASK = (1n << 64n) - 1n;
  let z = ((BigInt(value) + 1n) * 0x9e3779b97f4a7c15n) & MASK;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return Number((z ^ (z >> 31n)) >> 11n);
}

async function fill({ metrics }: MetricsBench): Promise<void> {
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
async function left({ metrics }: MetricsBench): Promise<Record<string, number>> {
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
