import type { MaybePromise } from '../core/processor.js';
import type { Backlog } from '../delivery/backlog.js';
import type { ContractBacklogConfig } from './backlog-bench.js';
import { BacklogBench } from './backlog-bench.js';
import { BACKLOG_CHECKS } from './backlog-checks.js';
import { BACKLOG_OVERFLOW_CHECKS } from './backlog-overflow-checks.js';
import { BACKLOG_LASTING_CHECKS } from './backlog-lasting-checks.js';
import { BACKLOG_PARTITION_CHECKS } from './backlog-partition-checks.js';
import { BACKLOG_STAMP_CHECKS, BACKLOG_STAMP_OVERFLOW_CHECKS } from './backlog-stamp-checks.js';
import type { ContractRunner } from './contract-runner.js';
import { within, withoutCrash } from './contract-runner.js';

const DEFAULT_TIMEOUT_MS = 5_000;

export interface BacklogContractOptions extends ContractRunner {
  /** How the suite is called. Default: `keeps the contract of a backlog`. */
  readonly name?: string;
  /** What the backlog can do when `maxEvents` are in it. Default: all three. */
  readonly overflows?: readonly NonNullable<ContractBacklogConfig['overflow']>[];
  /**
   * A backlog on the same storage, after the first was closed: the next process. Needed where `lasting` is true, and
   * asked only there.
   */
  readonly reopen?: (closed: Backlog) => MaybePromise<Backlog>;
  /** Takes down what the factory set up; called after `close`. */
  readonly dispose?: (backlog: Backlog) => MaybePromise<void>;
  /** Longest time for one call of the backlog, in real milliseconds. Default: 5,000. */
  readonly timeoutMs?: number;
}

/**
 * Declares a test suite that every backlog must pass: nothing is lost or counted twice, order and bounds hold, leases
 * and dead letters behave as the invariants of the port say.
 *
 * @param factory makes a new backlog on an empty storage, not opened yet, for each test
 *
 * @example
 * import { describe, it } from '@jest/globals';
 * backlogContract(
 *   ({ maxEvents, overflow, maxDeadLetters }) => memoryBacklog({ maxEvents, overflow, … }),
 *   { describe, it },
 * );
 */
export function backlogContract(
  factory: (config: ContractBacklogConfig) => MaybePromise<Backlog>,
  options: BacklogContractOptions,
): void {
  const { describe, it, reopen, dispose } = options;
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const overflows = options.overflows ?? ['dropOldest', 'dropNewest', 'block'];
  const checks = {
    ...BACKLOG_CHECKS,
    ...BACKLOG_PARTITION_CHECKS,
    ...BACKLOG_STAMP_CHECKS,
    ...(reopen === undefined ? {} : BACKLOG_LASTING_CHECKS),
    ...Object.fromEntries(
      overflows.flatMap((overflow) =>
        Object.entries({
          ...BACKLOG_OVERFLOW_CHECKS[overflow],
          ...BACKLOG_STAMP_OVERFLOW_CHECKS[overflow],
        }),
      ),
    ),
  };
  describe(options.name ?? 'keeps the contract of a backlog', () => {
    for (const [name, check] of Object.entries(checks)) {
      it(name, () =>
        withoutCrash(async () => {
          const bench = new BacklogBench(factory, reopen, timeoutMs);
          try {
            await check(bench);
          } finally {
            for (const backlog of bench.made) {
              await backlog.close().catch(() => undefined);
              await within(timeoutMs, 'dispose', () => dispose?.(backlog));
            }
          }
        }),
      );
    }
  });
}
