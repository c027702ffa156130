import type { Backend } from '../core/backend.js';
import type { TrackingEvent } from '../core/event.js';
import type { MaybePromise } from '../core/processor.js';
import { BackendBench } from './backend-bench.js';
import { BACKEND_CHECKS } from './backend-checks.js';
import type { ContractRunner } from './contract-runner.js';
import { within, withoutCrash } from './contract-runner.js';

const DEFAULT_TIMEOUT_MS = 2_000;

export interface BackendContractOptions<B extends Backend> extends ContractRunner {
  /** How the suite is called. Default: `keeps the contract of a backend`. */
  readonly name?: string;
  /**
   * What has arrived where the backend delivers to, in any order; asked after a `flush`. Without it, the suite cannot
   * see what was delivered, only that sends settle.
   */
  readonly read?: (backend: B) => MaybePromise<readonly TrackingEvent[]>;
  /** Takes down what the factory set up; called after `close`. */
  readonly dispose?: (backend: B) => MaybePromise<void>;
  /** Longest time for one call of the backend, in real milliseconds. Default: 2,000. */
  readonly timeoutMs?: number;
}

/**
 * Declares a test suite that every backend must pass: sends settle, events arrive once and unchanged, also large and
 * unusual ones, `flush` and `close` keep their time, counts add up, nothing crashes the process.
 *
 * @param factory makes a new backend, not attached yet, for each test
 *
 * @example
 * import { describe, it } from '@jest/globals'; // or 'vitest', or 'node:test'
 * backendContract(() => new WarehouseBackend(table), {
 *   describe,
 *   it,
 *   read: (backend) => backend.rows(),
 * });
 */
export function backendContract<B extends Backend>(
  factory: () => MaybePromise<B>,
  options: BackendContractOptions<B>,
): void {
  const { describe, it, read, dispose } = options;
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  describe(options.name ?? 'keeps the contract of a backend', () => {
    for (const [name, check] of Object.entries(BACKEND_CHECKS)) {
      it(name, () =>
        withoutCrash(async () => {
          const backend = await factory();
          const bench = new BackendBench(
            backend,
            timeoutMs,
            read === undefined ? undefined : () => read(backend),
          );
          try {
            await check(bench);
          } finally {
            await closeQuietly(bench);
            await within(timeoutMs, 'dispose', () => dispose?.(backend));
          }
        }),
      );
    }
  });
}

/** What `close` does is the subject of tests of its own. */
async function closeQuietly(bench: BackendBench): Promise<void> {
  await bench.close().catch(() => undefined);
}
