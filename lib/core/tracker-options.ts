import type { BackendTree } from './backend.js';
import type { Clock } from './clock.js';
import { ContextStore } from './context-store.js';
import type { Limits } from './limits.js';
import { DEFAULT_LIMITS } from './limits.js';
import type { ProcessorSpec } from './processor.js';
import type { OnError } from './report.js';
import type { Problems } from './options.js';
import { isRecord } from './options.js';

/** What an app writes. */
export interface TrackerOptions {
  /** Where events go, by name; nested `{ processors?, backends }` route further. */
  readonly backends: BackendTree;
  /** Run on every event, in this order, before any backend sees it. Default: none. */
  readonly processors?: readonly ProcessorSpec[];
  /** A frame below every other. Default: none. */
  readonly context?: object;
  /** Hears of every problem once. Default: one line on standard error per code and path in 10 s. */
  readonly onError?: OnError;
  /** For development and tests: `emit` throws on what it would otherwise repair and report. Default: false. */
  readonly strict?: boolean;
  /** Default: the store that all trackers of the process share. */
  readonly contextStore?: ContextStore;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Default: `DEFAULT_LIMITS`. */
  readonly limits?: Partial<Limits>;
}

const OPTION_KEYS: readonly (keyof TrackerOptions)[] = [
  'backends',
  'processors',
  'context',
  'onError',
  'strict',
  'contextStore',
  'clock',
  'limits',
];

const CLOCK_METHODS: readonly (keyof Clock)[] = ['now', 'monotonicMs', 'setTimeout', 'clearTimeout'];

/** Checks everything but the topology and the processors, which are checked as they are read. */
export function checkTrackerOptions(
  options: TrackerOptions,
  problems: Problems,
  moreKeys: readonly string[] = [],
): void {
  problems.onlyKeys('', options, [...OPTION_KEYS, ...moreKeys]);
  problems.optional(options.onError, (value) => {
    problems.function('onError', value);
  });
  problems.optional(options.strict, (value) => {
    problems.boolean('strict', value);
  });
  problems.optional(options.context, (value) => {
    if (!isRecord(value)) {
      problems.add('context', 'an object', value);
    }
  });
  problems.optional(options.contextStore, (value) => {
    if (!(value instanceof ContextStore)) {
      problems.add('contextStore', 'a ContextStore', value);
    }
  });
  problems.optional(options.clock, (value: unknown) => {
    if (!isRecord(value)) {
      problems.add('clock', 'a clock', value);
      return;
    }
    for (const method of CLOCK_METHODS) {
      problems.function(`clock.${method}`, value[method]);
    }
  });
  problems.optional(options.limits, (value) => {
    checkLimits(value, problems);
  });
}

function checkLimits(limits: Partial<Limits>, problems: Problems): void {
  if (!isRecord(limits)) {
    problems.add('limits', 'an object', limits);
    return;
  }
  problems.onlyKeys('limits', limits, Object.keys(DEFAULT_LIMITS));
  for (const [key, value] of Object.entries(limits)) {
    if (key in DEFAULT_LIMITS) {
      problems.positiveInteger(`limits.${key}`, value);
    }
  }
}
