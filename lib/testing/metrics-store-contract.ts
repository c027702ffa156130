import assert from 'node:assert/strict';
import type { MaybePromise } from '../core/processor.js';
import { createMetrics } from '../metrics/create-metrics.js';
import { memberHash } from '../metrics/member-hash.js';
import { memoryMetricsStore } from '../metrics/memory-metrics-store.js';
import type { CounterKey, Metrics } from '../metrics/metrics.js';
import type { MetricsOptions } from '../metrics/metrics-options.js';
import type { MetricsStore } from '../metrics/metrics-store.js';
import type { ContractTest, OnEnd } from './contract-suite.js';
import { comparison, contractTests, randomIntegers } from './contract-suite.js';
import { fakeClock } from './fake-clock.js';

export interface MetricsStoreContractOptions {
  /** Takes down what the factory set up; called after `close`. */
  readonly dispose?: (store: MetricsStore) => MaybePromise<void>;
  /** Longest time for one test, in real milliseconds. Default: 10,000. */
  readonly timeoutMs?: number;
}

/**
 * The tests that every metrics store must pass: it does what `memoryMetricsStore()` does, loses nothing to calls at the
 * same time, writes nothing in part, and does not mix up names, which may hold anything.
 *
 * @param factory makes a new store for each test; it must not see what other stores hold
 */
export function metricsStoreContract(
  factory: () => MaybePromise<MetricsStore>,
  options: MetricsStoreContractOptions = {},
): ContractTest[] {
  const { dispose, timeoutMs = 10_000 } = options;
  const perform = async (check: Check, onEnd: OnEnd): Promise<void> => {
    const store = await factory();
    const metrics = createMetrics({ store, clock: fakeClock(NOW) });
    onEnd(() => metrics.close());
    onEnd(() => dispose?.(store));
    await check(metrics, store);
  };
  return contractTests(CHECKS, perform, timeoutMs);
}

/** The time of every test: Thursday, 2026-01-15, half past ten (UTC). */
const NOW = Date.UTC(2026, 0, 15, 10, 30);
const NEW_YEAR = Date.UTC(2026, 0, 1);
const TODAY = { from: '2026-01-15', to: '2026-01-15' };

/** Names that a store may take apart, join to others, or cut. */
const HOSTILE_NAMES: readonly string[] = [
  ...['a', 'A', 'a:b', 'a:b:c', 'a|b', 'a#b', 'a}b', 'a{b}', '{', '}', '{}'],
  ...['%', '%7D', ' ', '  ', '\n', '\0', 'a\0b', '\u0001', '*', '?', '[a]'],
  ...['\\', 'é', 'e\u0301', '日本', '🎈', '__proto__', 'constructor', '0'],
  ...['undefined', 'null', '-1', 'ü'.repeat(256), 'a'.repeat(512)],
];

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

type Check = (metrics: Metrics, store: MetricsStore) => Promise<void>;

const CHECKS: Readonly<Record<string, Check>> = {
  'does what memoryMetricsStore() does': (_, store) => compare(store, {}),

  'does what memoryMetricsStore() does with retention': (_, store) =>
    compare(store, { retention: { hour: { days: 2 }, day: { days: 40 } } }),

  'loses nothing to increments at the same time': async (metrics) => {
    await Promise.all(numbers(200).map((n) => metrics.increment(['run', `run-${n % 10}`], ['d', 'e'])));
    assert.deepEqual([await metrics.count('run', 'd', TODAY), await metrics.total('run-3', 'e')], [200, 20]);
  },

  'never mixes up names': async (metrics) => {
    const counters: CounterKey[] = [];
    for (const name of HOSTILE_NAMES) {
      counters.push([name, name], [name, 'plain'], ['plain', name]);
    }
    for (const separator of ':|#/% \0\u0001') {
      counters.push([`c${separator}d`, 'c'], ['c', `d${separator}c`]);
    }
    await Promise.all(counters.map(([subject, metric], by) => metrics.increment(subject, metric, { by })));
    assert.deepEqual(await metrics.totals(counters), numbers(counters.length));
    assert.deepEqual(await metrics.counts(counters, TODAY), numbers(counters.length));
  },

  'counts 1,000 distinct members exactly, and many within 2 %': async (metrics, store) => {
    const today = Date.UTC(2026, 0, 15) / 86_400_000;
    const add = (thousand: number): Promise<void> => {
      const hashes = numbers(1_000).map((n) => memberHash(`donor-${thousand}-${n}`));
      return store.addMembers([{ metric: 'donors', day: today - 1, hashes }], { keep: {}, today });
    };
    await add(0);
    assert.equal(await metrics.uniques('donors'), 1_000);
    await Promise.all(numbers(20).map(add));
    const found = await metrics.uniques('donors');
    assert.ok(Math.abs(found / 20_000 - 1) <= 0.02, `counted ${found} of 20000`);
    await metrics.addUnique('donors', 'anna');
    assert.equal(await metrics.uniques('donors', TODAY), 1);
  },
};

/** Makes the same calls to metrics in this store and in memory, drawn at random. */
async function compare(store: MetricsStore, options: Pick<MetricsOptions, 'retention'>): Promise<void> {
  const clock = fakeClock(NOW);
  const [tested, model] = [store, memoryMetricsStore()].map((each) =>
    createMetrics({ store: each, clock, ...options }),
  ) as [Metrics, Metrics];
  const call = comparison(tested, model, async (_, perform) => {
    try {
      return await perform();
    } catch (error) {
      return `rejects with a ${(error as Error).name}`;
    }
  });
  const below = randomIntegers();
  const anyOf = <T>(...values: readonly T[]): T => values[below(values.length)] as T;

  const subject = (): string => anyOf('a', 'a:1', 'x');
  const metric = (): string => anyOf('x', 'y', 'x:2');
  const names = ['x', 'y', 'x:2', 'cents', 'euros'];
  const counters = ['a', 'a:1', 'x'].flatMap((one) => names.map((other) => [one, other]));
  const most = Number.MAX_SAFE_INTEGER;
  const by = (): number => anyOf(1, 41, 0, -50);
  const days = ['2024-02-29', '2025-12-06', '2025-12-31', '2026-01-13', '2027-01-01'];
  const hours = [NOW, NEW_YEAR - 1, NEW_YEAR, NEW_YEAR + 3_599_999];
  const at = (): string | number => anyOf<string | number>(...days, ...hours);
  const range = (): object => anyOf({}, { from: at() }, { to: at() }, { from: at(), to: at() });
  const of = (): object => anyOf({}, { subject: subject() });
  const facts = (): object => ({ n: below(100), 'a#b|c': 12.5, '': [true, null, '1', { é: '🎈' }, {}] });
  const calls: readonly (() => [method: keyof Metrics, ...args: unknown[]])[] = [
    () => ['increment', subject(), metric(), { at: at(), by: by() }],
    () => ['increment', [subject(), subject()], [metric(), metric()], { at: at(), by: by() }],
    () => ['increment', subject(), anyOf(['euros'], ['cents', 'euros']), { by: anyOf(most, 5, -most) }],
    () => ['set', subject(), 'cents', { value: anyOf(most, 0, -most) }],
    () => ['incrementTotal', subject(), metric(), { by: by() }],
    () => ['set', subject(), metric(), { at: at(), value: by() }],
    () => ['addUnique', metric(), `member ${below(9)}`, { at: at(), ...of() }],
    () => ['record', subject(), metric(), facts(), { at: anyOf(NOW, at()) }],
    () => ['totals', counters],
    () => ['counts', counters, range()],
    () => ['seriesMany', counters, { by: anyOf('hour', 'day', 'month'), from: at(), limit: 1 + below(50) }],
    () => ['uniques', metric(), { ...of(), ...range() }],
    () => ['facts', subject(), metric(), range()],
    () => ['factsOf', metric()],
  ];
  for (let n = 0; n < 600; n++) {
    await clock.advance(n % 60 === 30 ? 86_400_000 : 0);
    await call(...anyOf(...calls)());
    if (n % 100 === 99) {
      const [one, other] = [{ subject: subject() }, { metric: metric() }];
      await call('clear', anyOf<object>({}, one, other, { ...one, ...other }));
    }
  }
}
