import { isRecord, Problems } from '../core/options.js';
import type { Metrics } from './metrics.js';
import type { CheckedRule, MetricsRule } from './metrics-rule.js';
import { checkRules } from './metrics-rule.js';
import type { MetricsWriter } from './metrics-writer.js';
import { StoredMetrics } from './stored-metrics.js';

/** What an app writes. */
export interface MetricsBackendOptions {
  /** What `createMetrics` answered. The backend does not close it. */
  readonly metrics: Metrics;
  /** Each is applied to every event whose name is like its `event`. */
  readonly rules: readonly MetricsRule[];
  /** When what waits is written: after so many events, or so long after the first. Default: 10,000; 1,000 ms. */
  readonly batch?: {
    readonly maxEvents?: number;
    readonly maxDelayMs?: number;
  };
  /**
   * Most counters, members and facts that wait in memory while the store is down. Events that need more are dropped as
   * `overflow`; events for counters that wait already are taken. Default: 100,000.
   */
  readonly maxWaiting?: number;
  /**
   * How many ids of events are remembered, so that an event that comes again counts once. This process alone remembers
   * them. Default: 10,000.
   */
  readonly rememberIds?: number;
}

/** What the code reads. */
export interface MetricsBackendSettings {
  readonly writer: MetricsWriter;
  readonly rules: readonly CheckedRule[];
  readonly maxEvents: number;
  readonly maxDelayMs: number;
  readonly maxWaiting: number;
  readonly rememberIds: number;
}

const DEFAULTS = {
  maxEvents: 10_000,
  maxDelayMs: 1_000,
  maxWaiting: 100_000,
  rememberIds: 10_000,
};

/** @throws TrackingError `invalid_options` with everything that is wrong */
export function readMetricsBackendOptions(options: MetricsBackendOptions): MetricsBackendSettings {
  const problems = new Problems();
  const rules = check(options, problems);
  const writer = writerOf(options, problems);
  problems.throwIfAny('the options of metricsBackend() are wrong');
  const { batch, maxWaiting, rememberIds } = options;
  return {
    writer: writer as MetricsWriter,
    rules,
    maxEvents: batch?.maxEvents ?? DEFAULTS.maxEvents,
    maxDelayMs: batch?.maxDelayMs ?? DEFAULTS.maxDelayMs,
    maxWaiting: maxWaiting ?? DEFAULTS.maxWaiting,
    rememberIds: rememberIds ?? DEFAULTS.rememberIds,
  };
}

function check(options: unknown, problems: Problems): readonly CheckedRule[] {
  if (!isRecord(options)) {
    problems.add('options', 'an object', options);
    return [];
  }
  const known = ['metrics', 'rules', 'batch', 'maxWaiting', 'rememberIds'];
  problems.onlyKeys('', options, known);
  const { rules, batch } = options;
  if (isRecord(batch)) {
    problems.onlyKeys('batch', batch, ['maxEvents', 'maxDelayMs']);
    problems.optional(batch['maxEvents'], (value) => {
      problems.positiveInteger('batch.maxEvents', value);
    });
    problems.optional(batch['maxDelayMs'], (value) => {
      problems.milliseconds('batch.maxDelayMs', value);
    });
  } else if (batch !== undefined) {
    problems.add('batch', 'an object', batch);
  }
  for (const key of ['maxWaiting', 'rememberIds']) {
    problems.optional(options[key], (value) => {
      problems.positiveInteger(key, value);
    });
  }
  return checkRules(rules, problems);
}

function writerOf(options: unknown, problems: Problems): MetricsWriter | undefined {
  const metrics = isRecord(options) ? options['metrics'] : undefined;
  if (metrics instanceof StoredMetrics) {
    return metrics.writer;
  }
  problems.add('metrics', 'what createMetrics() answers', metrics);
  return undefined;
}
