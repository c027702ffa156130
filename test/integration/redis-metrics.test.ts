import { AsyncLocalStorage } from 'node:async_hooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Cluster, Redis } from 'ioredis';
import { createMetrics, metricsBackend } from '../../lib/core.js';
import type { Metrics, MetricsStore, TrackingEvent } from '../../lib/core.js';
import { redisMetricsStore } from '../../lib/redis.js';
import type { RedisArgument } from '../../lib/redis.js';
import { fakeClock } from '../../lib/testing.js';
import { RedisCluster, RedisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';

const START_TIMEOUT_MS = 60_000;
const DAY = Date.UTC(2026, 0, 15) / 86_400_000;
const OPTIONS = { keep: {}, today: DAY };

describe('on one server', () => {
  let server: RedisServer;
  let client: Redis;
  let store: MetricsStore;
  let metrics: Metrics;

  beforeAll(async () => {
    server = await RedisServer.start();
    client = server.client();
    client.on('error', () => undefined);
  }, START_TIMEOUT_MS);

  beforeEach(async () => {
    await client.flushall();
    await client.config('RESETSTAT');
    store = redisMetricsStore({ client });
    metrics = createMetrics({ store, clock: fakeClock(DAY * 86_400_000) });
  });

  afterEach(() => metrics.close());

  afterAll(async () => {
    client.disconnect();
    await server.stop();
  });

  /** How often the server was asked for each command. */
  async function calls(): Promise<Record<string, number>> {
    const info = await client.info('commandstats');
    return Object.fromEntries(
      Array.from(info.matchAll(/cmdstat_(\S+):calls=(\d+)/g), (match) => [
        String(match[1]),
        Number(match[2]),
      ]),
    );
  }

  it('sends what is written in one turn in one call', async () => {
    await metrics.increment('warm', 'up');
    await client.config('RESETSTAT');
    await Promise.all(Array.from({ length: 200 }, (_, n) => metrics.increment(`run-${n}`, 'd')));

    expect((await calls())['evalsha']).toBe(1);
    expect((await calls())['hincrby']).toBe(400);
  });

  it('never looks through all keys', async () => {
    await metrics.increment('a', 'x');
    await metrics.record('a', 'note', { n: 1 });
    await metrics.factsOf('note');
    await metrics.count('a', 'x', { to: '2026-01-15' });
    await metrics.clear({ subject: 'a' });
    expect(await calls()).not.toHaveProperty('scan');
    await metrics.clear({ metric: 'x' });
    await metrics.clear({});

    expect(await calls()).not.toHaveProperty('keys');
  });

  it('leaves nothing of a subject behind', async () => {
    for (const subject of ['a', 'b']) {
      await metrics.increment(subject, 'x', { at: '2024-02-29' });
      await metrics.addUnique('x', 'member', { subject });
      await metrics.record(subject, 'note', { n: 1 });
    }
    await metrics.clear({ subject: 'a' });

    const keys = await client.keys('*');
    expect(keys.filter((key) => /\{s:a\}(?!:o:)/.test(key))).toEqual([]);
    expect(await client.smembers('metrics:{f:note}')).toEqual(['b']);

    await metrics.clear({});
    expect((await client.keys('*')).filter((key) => !key.includes('}:o:'))).toEqual([]);
  });

  it('leaves the keys of others alone', async () => {
    await client.set('metrics', 'mine');
    await client.set('other:{s:a}:t', 'mine');
    await metrics.increment('a', 'x');
    await metrics.clear({});

    expect(await client.get('metrics')).toBe('mine');
    expect(await client.get('other:{s:a}:t')).toBe('mine');
  });

  it('does a write once that is sent again', async () => {
    const changes = [{ subject: 'a', metric: 'x', by: 2, day: DAY, hour: 3 }];
    const records = [{ subject: 'a', key: 'note', atMs: 0, json: '{}' }];
    const options = { ...OPTIONS, once: { writer: 'w', nth: 7 } };
    const facts = { ...OPTIONS, once: { writer: 'w', nth: 8 } };
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(await store.increment(changes, options)).toEqual([2]);
      await store.record(records, facts);
    }
    const other = { ...OPTIONS, once: { writer: 'w', nth: 9 } };
    expect(await store.increment(changes, other)).toEqual([4]);

    expect(await metrics.facts('a', 'note')).toHaveLength(1);
    expect(await client.ttl('metrics:{s:a}:o:w:0')).toBeGreaterThan(800);
  });

  it('refuses a write again that it had refused', async () => {
    const change = { subject: 'a', metric: 'x', by: Number.MAX_SAFE_INTEGER };
    const options = { ...OPTIONS, once: { writer: 'w', nth: 1 } };
    await store.increment([change], OPTIONS);
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(store.increment([change], options)).rejects.toThrow(/safe integer/);
    }
    await expect(store.set({ ...change, day: DAY, hour: 0, value: -1 }, OPTIONS)).resolves.toBeUndefined();
  });

  it('refuses one operation of a call without the others', async () => {
    await metrics.increment('full', 'x', { by: Number.MAX_SAFE_INTEGER });
    const results = await Promise.allSettled([
      metrics.increment('a', 'x'),
      metrics.increment(['b', 'full'], 'x'),
      metrics.increment('a', 'x'),
    ]);

    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(
      await metrics.totals([
        ['a', 'x'],
        ['b', 'x'],
      ]),
    ).toEqual([2, 0]);
  });

  it('lets days and hours expire that retention does not keep', async () => {
    const kept = createMetrics({
      store,
      clock: fakeClock(DAY * 86_400_000),
      retention: { hour: { days: 2 }, day: { days: 100 } },
    });
    await kept.increment('a', 'x');
    await kept.addUnique('x', 'member', { subject: 'a' });
    const days = (key: string): Promise<number> =>
      client.ttl(`metrics:{s:a}:${key}:x`).then((ttl) => Math.ceil(ttl / 86_400));

    expect(await days(`h:${DAY}`)).toBe(4);
    // The last of its days is sixteen days away.
    expect(await days(`d:${2026 * 12}`)).toBe(118);
    expect(await days(`u:${DAY}`)).toBe(102);
    expect(await client.ttl('metrics:{s:a}:t')).toBe(-1);

    await kept.record('a', 'note', { n: 1 }, { at: '2025-01-01' });
    await kept.record('a', 'note', { n: 2 });
    expect(await client.zcard('metrics:{s:a}:f:note')).toBe(1);
  });

  it('finds its scripts again after the server forgot them', async () => {
    await metrics.increment('a', 'x');
    await client.script('FLUSH');

    expect(await metrics.increment('a', 'x')).toBe(2);
  });

  it('rejects with what the server says', async () => {
    await client.set('metrics:{s:a}:t', 'not a hash');

    await expect(metrics.increment('a', 'x')).rejects.toThrow(/WRONGTYPE/);
  });

  it('writes outside the async context of whoever asks', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const watched = redisMetricsStore({
      client: {
        call: (command: string, args: RedisArgument[]) => {
          seen.push(storage.getStore());
          return client.call(command, args);
        },
        callBuffer: (command: string, args: RedisArgument[]) => client.callBuffer(command, args),
        quit: () => Promise.resolve(),
        disconnect: () => undefined,
      },
    });
    await storage.run('request', () => watched.increment([{ subject: 'a', metric: 'x', by: 1 }], OPTIONS));

    expect(seen).toEqual([undefined]);
  });

  it('counts many members that no store of ours has hashed', async () => {
    for (let from = 0; from < 50_000; from += 5_000) {
      const hashes = Array.from({ length: 5_000 }, (_, n) => from + n);
      await store.addMembers([{ metric: 'x', day: DAY, hashes }], OPTIONS);
    }
    const found = await store.countMembers({ metric: 'x' }, {});

    expect(Math.abs(found / 50_000 - 1)).toBeLessThan(0.02);
  });
});

describe('when the server goes away', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await RedisServer.start();
  }, START_TIMEOUT_MS);

  afterAll(() => server.stop());

  const event = (id: number): TrackingEvent => ({
    id: String(id),
    name: 'donation',
    timestamp: '2026-01-15T10:00:00.000Z',
    data: {},
    context: {},
  });

  it('a call ends within its time, and events wait until it is back', async () => {
    const store = redisMetricsStore({
      client: () => {
        const client = server.client({ retryStrategy: () => 50 });
        client.on('error', () => undefined);
        return client;
      },
      timeoutMs: 300,
    });
    const metrics = createMetrics({ store });
    const backend = metricsBackend({
      metrics,
      rules: [{ event: '*', metric: 'donations', subject: 'run' }],
      batch: { maxDelayMs: 20 },
    });
    await metrics.total('run', 'donations');
    await server.kill();

    for (let id = 0; id < 50; id++) {
      await backend.send(event(id));
    }
    await expect(metrics.increment('run', 'd')).rejects.toThrow();
    await until(() => backend.stats?.().state === 'retrying', {
      what: 'the backend to notice',
    });
    expect(backend.stats?.()).toMatchObject({ accepted: 50, depth: 50 });

    await server.start();
    await until(() => backend.stats?.().delivered === 50, {
      what: 'all events to be counted',
      timeoutMs: 20_000,
    });
    expect(await metrics.total('run', 'donations')).toBe(50);
    await metrics.close();
  }, 40_000);

  it('nothing is counted twice when a server stood still', async () => {
    const store = redisMetricsStore({
      client: () => server.client(),
      timeoutMs: 200,
    });
    const metrics = createMetrics({ store });
    const backend = metricsBackend({
      metrics,
      rules: [{ event: '*', metric: 'still', subject: 'run' }],
      batch: { maxDelayMs: 10 },
    });
    await metrics.increment('run', 'still', { by: 0 });
    server.signal('SIGSTOP');
    for (let id = 0; id < 10; id++) {
      await backend.send(event(id));
    }
    await until(() => (backend.stats?.().retried ?? 0) >= 20, {
      what: 'two attempts to fail',
    });
    server.signal('SIGCONT');
    await backend.flush?.({ timeoutMs: 10_000 });

    expect(backend.stats?.()).toMatchObject({ delivered: 10 });
    expect(await metrics.total('run', 'still')).toBe(10);
    await metrics.close();
  }, 40_000);
});

describe('on a cluster', () => {
  let cluster: RedisCluster;
  let client: Cluster;
  let metrics: Metrics;
  let store: MetricsStore;

  beforeAll(async () => {
    cluster = await RedisCluster.start();
    client = cluster.client();
    store = redisMetricsStore({ client });
    metrics = createMetrics({ store });
  }, START_TIMEOUT_MS);

  afterAll(async () => {
    client.disconnect();
    await cluster.stop();
  });

  it('spreads subjects, and keeps each in one slot', async () => {
    const subjects = Array.from({ length: 60 }, (_, n) => `run {${n}`);
    await metrics.increment(subjects, ['d', 'e']);
    for (const subject of subjects) {
      await metrics.addUnique('d', 'member', { subject });
      await metrics.record(subject, 'note', { n: 1 });
    }
    const slots = new Map<string, Set<number>>();
    const sizes: number[] = [];
    for (const node of client.nodes('master')) {
      const keys = (await node.keys('*')).filter((key) => key.includes('{s:'));
      sizes.push(keys.length);
      for (const key of keys) {
        const base = key.slice(0, key.indexOf('}'));
        const slot = await node.cluster('KEYSLOT', key);
        slots.set(base, (slots.get(base) ?? new Set()).add(slot));
      }
    }

    expect(Math.min(...sizes)).toBeGreaterThan(60);
    expect(slots.size).toBe(60);
    expect([...slots.values()].every(({ size }) => size === 1)).toBe(true);
    expect((await metrics.factsOf('note')).size).toBe(60);

    await metrics.clear({ metric: 'note' });
    expect((await metrics.factsOf('note')).size).toBe(0);
    expect(await metrics.total('run {7', 'd')).toBe(1);
  });

  it('tells which subjects were refused, so that the others count once', async () => {
    await metrics.increment('full', 'x', { by: Number.MAX_SAFE_INTEGER });
    const backend = metricsBackend({
      metrics,
      rules: [
        { event: '*', metric: 'x', subject: ['a', 'b', 'full', 'c'] },
        { event: '*', metric: 'y', subject: 'full' },
      ],
    });
    await backend.send({
      id: '1',
      name: 'donation',
      timestamp: new Date().toISOString(),
      data: {},
      context: {},
    });
    await backend.flush?.({ timeoutMs: 5_000 });

    expect(
      await metrics.totals([
        ['a', 'x'],
        ['b', 'x'],
        ['c', 'x'],
        ['full', 'x'],
        ['full', 'y'],
      ]),
    ).toEqual([1, 1, 1, Number.MAX_SAFE_INTEGER, 1]);
  });
});
