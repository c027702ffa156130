/*
 * What counting costs, beside floors and the ancestor's way: increments of 1,000 counters, 100 in a turn of the event
 * loop, ten turns under way (of the ancestor's way one); and the series of a year and of ten years. All in one run, in turns; shown are medians over
 * the rounds, and medians of the ratios to the floor of the same round. Processor time is that of this process, in which
 * Redis is not.
 *
 * `node test/bench/metrics/report.mjs [--quick]` prints the tables.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { createMetrics, memoryMetricsStore, metricsBackend } from '../../../dist/core.js';
import { lmdbMetricsStore } from '../../../dist/lmdb.js';
import { redisMetricsStore } from '../../../dist/redis.js';
import { median, table } from '../statistics.mjs';
import { ancestor, FIRST_DAY, lmdbFloor, mapFloor, pipelineFloor } from './floors.mjs';
import { startRedis } from './redis-server.mjs';

const SUBJECTS = Array.from({ length: 1_000 }, (_, n) => `subject-${n}`);
const PER_TURN = 100;
const TURNS_UNDER_WAY = 10;
const DAY_MS = 86_400_000;

/** @param quick fewer rounds */
export async function metricsReport({ quick }) {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-metrics-'));
  const redis = await startRedis();
  const client = redis.client();
  const metrics = {
    memory: createMetrics({ store: memoryMetricsStore() }),
    lmdb: createMetrics({
      store: lmdbMetricsStore({ path: path.join(folder, 'ours') }),
    }),
    redis: createMetrics({ store: redisMetricsStore({ client }) }),
  };
  const byHand = lmdbFloor(path.join(folder, 'floor'));
  const oldWay = ancestor(client);
  try {
    const increments = await compare(
      {
        'a Map': [mapFloor(), 200_000],
        'memory, createMetrics': [ours(metrics.memory), 200_000],
        'LMDB by hand': [byHand, 20_000],
        'LMDB, createMetrics': [ours(metrics.lmdb), 20_000],
        'Redis, the ancestor’s way': [{ ...oldWay, atOnce: 1 }, 1_000],
        'Redis, a plain pipeline': [pipelineFloor(client), 20_000],
        'Redis, createMetrics': [ours(metrics.redis), 20_000],
        'Redis, metricsBackend': [coalesced(metrics.redis), 100_000],
      },
      quick ? 3 : 11,
    );
    const series = await compareSeries(metrics, oldWay, quick ? 50 : 300);
    return [
      incrementTable(increments, {
        'memory, createMetrics': 'a Map',
        'LMDB, createMetrics': 'LMDB by hand',
        'Redis, createMetrics': 'Redis, a plain pipeline',
        'Redis, metricsBackend': 'Redis, a plain pipeline',
      }),
      series,
    ].join('\n\n');
  } finally {
    await Promise.all(Object.values(metrics).map((each) => each.close()));
    await byHand.close();
    client.disconnect();
    redis.stop();
    rmSync(folder, { recursive: true });
  }
}

function ours(metrics) {
  return {
    increment: (subjects) => Promise.all(subjects.map((subject) => metrics.increment(subject, 'donations'))),
  };
}

function coalesced(metrics) {
  const backend = metricsBackend({
    metrics,
    rules: [
      {
        event: 'donation.received',
        metric: 'coalesced',
        subject: ({ data }) => data.subject,
      },
    ],
  });
  let id = 0;
  return {
    increment: (subjects) => {
      const timestamp = new Date().toISOString();
      for (const subject of subjects) {
        backend.send({
          id: String(id++),
          name: 'donation.received',
          timestamp,
          data: { subject },
          context: {},
        });
      }
    },
    finish: () => backend.flush({ timeoutMs: 60_000 }),
  };
}

/** Measures all in turns: increments a second, and microseconds of processor time for each. */
async function compare(contenders, rounds) {
  const found = {};
  for (let round = 0; round <= rounds; round++) {
    for (const [name, [contender, count]] of Object.entries(contenders)) {
      const result = await measure(contender, count);
      // The first round warms up.
      if (round > 0) {
        (found[name] ??= []).push(result);
      }
    }
  }
  return found;
}

async function measure({ increment, finish, atOnce = TURNS_UNDER_WAY }, count) {
  const startCpu = process.cpuUsage();
  const start = performance.now();
  const underWay = [];
  for (let done = 0; done < count; done += PER_TURN) {
    const at = done % SUBJECTS.length;
    underWay.push(increment(SUBJECTS.slice(at, at + PER_TURN)));
    if (underWay.length >= atOnce) {
      await underWay.shift();
    }
  }
  await Promise.all(underWay);
  await finish?.();
  const seconds = (performance.now() - start) / 1_000;
  const { user, system } = process.cpuUsage(startCpu);
  return { perSecond: count / seconds, cpu: (user + system) / count };
}

function incrementTable(found, floors) {
  const speeds = (name) => found[name].map(({ perSecond }) => perSecond);
  const ratio = (name, floor) => median(speeds(name).map((speed, i) => speed / speeds(floor)[i]));
  return table(
    ['increments', 'a second', 'µs of CPU each', 'times its floor', 'times the ancestor'],
    Object.keys(found).map((name) => [
      name,
      Math.round(median(speeds(name))).toLocaleString('en'),
      median(found[name].map(({ cpu }) => cpu)).toFixed(2),
      floors[name] === undefined ? '' : ratio(name, floors[name]).toFixed(2),
      name.startsWith('Redis') ? ratio(name, 'Redis, the ancestor’s way').toFixed(1) : '',
    ]),
  );
}

async function compareSeries(metrics, oldWay, rounds) {
  const years = { 'a year': 365, 'ten years': 3_652 };
  const days = years['ten years'];
  await oldWay.fill('series', days);
  for (const each of Object.values(metrics)) {
    for (let day = 0; day < days; day++) {
      await each.increment('series', 'donations', {
        at: FIRST_DAY + day * DAY_MS,
      });
    }
  }
  const contenders = {
    'Redis, the ancestor’s way': (limit) => oldWay.series('series', limit),
  };
  for (const [name, each] of Object.entries(metrics)) {
    contenders[`${name}, createMetrics`] = (limit) =>
      each.series('series', 'donations', { by: 'day', from: FIRST_DAY, limit });
  }
  const times = {};
  for (const limit of Object.values(years)) {
    for (let round = 0; round < rounds; round++) {
      for (const [name, read] of Object.entries(contenders)) {
        // The ancestor asks for ten years 120 times over: it is let off.
        if (limit > 365 && read === contenders['Redis, the ancestor’s way']) {
          continue;
        }
        const start = performance.now();
        await read(limit);
        ((times[name] ??= {})[limit] ??= []).push(performance.now() - start);
      }
    }
  }
  return table(
    ['series by day, ms', ...Object.keys(years), 'a year, times faster than the ancestor'],
    Object.entries(times).map(([name, of]) => [
      name,
      ...Object.values(years).map((limit) => (of[limit] === undefined ? '' : median(of[limit]).toFixed(3))),
      (median(times['Redis, the ancestor’s way'][365]) / median(of[365])).toFixed(1),
    ]),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(`${await metricsReport({ quick: process.argv.includes('--quick') })}\n`);
}
