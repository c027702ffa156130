import type { MaybePromise } from '../core/processor.js';
import type { MetricsStore } from '../metrics/metrics-store.js';
import type { ContractRunner } from './contract-runner.js';
import { within, withoutCrash } from './contract-runner.js';
import { METRICS_COUNTER_CHECKS } from './metrics-counter-checks.js';
import { METRICS_MEMBER_CHECKS } from './metrics-member-checks.js';
import type { MetricsCheck } from './metrics-bench.js';
import { MetricsBench } from './metrics-bench.js';

const DEFAULT_TIMEOUT_MS = 10_000;

export interface MetricsStoreContractOptions extends ContractRunner {
  /** How the suite is called. Default: `keeps the contract of a metrics store`. */
  readonly name?: string;
  /** Takes down what the factory set up; called after `close`. */
  readonly dispose?: (store: MetricsStore) => MaybePromise<void>;
  /** Longest time for one test, in real milliseconds. Default: 10,000. */
  readonly timeoutMs?: number;
}

const CHECKS: Readonly<Record<string, MetricsCheck>> = {
  ...METRICS_COUNTER_CHECKS,
  ...METRICS_MEMBER_CHECKS,
};

/**
 * Declares a test suite that every metrics store must pass: nothing is lost, mixed up or written by halves, ranges and
 * series are right over borders of months and years, names may hold anything.
 *
 * @param factory makes a new store for each test; what other stores hold it must not see
 *
 * @example
 * import { describe, it } from '@jest/globals';
 * metricsStoreContract(() => new SqlMetricsStore(table), { describe, it });
 */
export function metricsStoreContract(
  factory: () => MaybePromise<MetricsStore>,
  options: MetricsStoreContractOptions,
): void {
  const { describe, it, dispose, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  describe(options.name ?? 'keeps the contract of a metrics store', () => {
    for (const [name, check] of Object.entries(CHECKS)) {
      it(name, () =>
        withoutCrash(async () => {
          const store = await factory();
          const bench = new MetricsBench(store);
          try {
            await within(timeoutMs, `"${name}"`, () => check(bench));
          } finally {
            await within(timeoutMs, 'close', () => bench.metrics.close());
            await within(timeoutMs, 'dispose', () => dispose?.(store));
          }
        }),
      );
    }
  });
}
