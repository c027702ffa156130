import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createMetrics, memoryMetricsStore } from '../../lib/core.js';
import type { Metrics, MetricsStore } from '../../lib/core.js';
import { lmdbMetricsStore } from '../../lib/lmdb.js';
import { redisMetricsStore } from '../../lib/redis.js';
import { fakeClock } from '../../lib/testing.js';
import { RedisServer } from '../support/redis-server.js';

const DAY_MS = 86_400_000;
const FIRST = Date.UTC(2023, 10, 20) / DAY_MS;
const LAST = Date.UTC(2026, 1, 20) / DAY_MS;
const NOW = (LAST + 5) * DAY_MS;
const RUNS = 25;

const day = fc.integer({ min: FIRST, max: LAST });
const change = fc.record({
  day,
  hour: fc.integer({ min: 0, max: 23 }),
  by: fc.integer({ min: -1_000, max: 1_000_000 }),
  sets: fc.boolean(),
});
const question = fc.record({ a: fc.option(day), b: fc.option(day) });

type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

const iso = (value: number): string => new Date(value * DAY_MS).toISOString().slice(0, 10);

/** The first day of the bucket in which a day lies, as JavaScript's dates have it. */
const BUCKETS: Readonly<Record<'week' | 'month' | 'year', (value: number) => string>> = {
  week: (value) => iso(value - ((new Date(value * DAY_MS).getUTCDay() + 6) % 7)),
  month: (value) => `${iso(value).slice(0, 7)}-01`,
  year: (value) => `${iso(value).slice(0, 4)}-01-01`,
};

/** Values by day: as plain as can be. */
class Model {
  readonly days = new Map<number, number>();
  readonly hours = new Map<string, number>();

  apply({ day: at, hour, by, sets }: Change): void {
    const before = this.days.get(at) ?? 0;
    const difference = sets ? by - before : by;
    const bucket = `${iso(at)}T${String(sets ? 0 : hour).padStart(2, '0')}`;
    this.days.set(at, before + difference);
    this.hours.set(bucket, (this.hours.get(bucket) ?? 0) + difference);
  }

  sum(from: number, to: number): number {
    let sum = 0;
    for (const [at, value] of this.days) {
      sum += at >= from && at <= to ? value : 0;
    }
    return sum;
  }
}

async function apply(metrics: Metrics, subject: string, c: Change): Promise<void> {
  if (c.sets) {
    await metrics.set(subject, 'd', { at: iso(c.day), value: c.by });
  } else {
    const at = c.day * DAY_MS + c.hour * 3_600_000;
    await metrics.increment(subject, 'd', { at, by: c.by });
  }
}

async function compare(
  metrics: Metrics,
  subject: string,
  model: Model,
  a: number | null,
  b: number | null,
): Promise<void> {
  const range = {
    ...(a === null ? {} : { from: iso(a) }),
    ...(b === null ? {} : { to: iso(b) }),
  };
  const [from, to] = [a ?? -Infinity, b ?? (a === null ? Infinity : NOW / DAY_MS)];
  expect(await metrics.count(subject, 'd', range)).toBe(model.sum(Math.min(from, to), Math.max(from, to)));
  if (a === null || b === null) {
    return;
  }
  const [first, last] = [Math.min(a, b), Math.max(a, b)];
  const days = await metrics.series(subject, 'd', {
    by: 'day',
    ...range,
    from: iso(a),
  });
  expect(days).toEqual(
    Array.from({ length: last - first + 1 }, (_, index) => ({
      bucket: iso(first + index),
      value: model.days.get(first + index) ?? 0,
    })),
  );
  for (const by of ['week', 'month', 'year'] as const) {
    const expected = new Map<string, number>();
    for (let at = first; at <= last; at++) {
      expected.set(BUCKETS[by](at), 0);
    }
    for (const [at, value] of model.days) {
      const bucket = BUCKETS[by](at);
      const before = expected.get(bucket);
      if (before !== undefined) {
        expected.set(bucket, before + value);
      }
    }
    const points = await metrics.series(subject, 'd', {
      by,
      ...range,
      from: iso(a),
    });
    expect(points.map(({ bucket, value }) => [bucket, value])).toEqual([...expected]);
  }
  const hours = await metrics.series(subject, 'd', {
    by: 'hour',
    from: iso(first),
    limit: 48,
  });
  expect(hours.filter(({ value }) => value !== 0)).toEqual(
    [...model.hours]
      .filter(([bucket, value]) => value !== 0 && bucket >= iso(first) && bucket < iso(first + 2))
      .sort(([x], [y]) => (x < y ? -1 : 1))
      .map(([bucket, value]) => ({ bucket, value })),
  );
}

describe.each(['memory', 'lmdb', 'redis'])('random changes and ranges in %s', (kind) => {
  let store: MetricsStore;
  let server: RedisServer | undefined;
  const path = mkdtempSync(join(tmpdir(), 'random-ranges-'));

  beforeAll(async () => {
    if (kind === 'redis') {
      server = await RedisServer.start();
      const { port } = server;
      store = redisMetricsStore({
        client: () => (server as RedisServer).client({ port }),
      });
    } else {
      store = kind === 'lmdb' ? lmdbMetricsStore({ path }) : memoryMetricsStore();
    }
  }, 30_000);

  afterAll(async () => {
    await store.close();
    await server?.stop();
    rmSync(path, { recursive: true });
  });

  it('give what adding up one by one gives', async () => {
    const metrics = createMetrics({ store, clock: fakeClock(NOW) });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { maxLength: 40 }),
        fc.array(question, { minLength: 1, maxLength: 6 }),
        async (changes, questions) => {
          const subject = `run-${run++}`;
          const model = new Model();
          for (const each of changes) {
            model.apply(each);
            await apply(metrics, subject, each);
          }
          expect(await metrics.total(subject, 'd')).toBe(model.sum(-Infinity, Infinity));
          for (const { a, b } of questions) {
            await compare(metrics, subject, model, a, b);
          }
        },
      ),
      { numRuns: RUNS },
    );
  }, 120_000);
});
