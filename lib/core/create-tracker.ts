import type { BackendTree } from './backend.js';
import { BaseContext, TrackerContext } from './base-context.js';
import type { Clock } from './clock.js';
import type { WriteLine } from './console-reporter.js';
import { logReports } from './console-reporter.js';
import type { ContextStore } from './context-store.js';
import { EventFactory } from './event-factory.js';
import { UuidSource } from './ids.js';
import type { Limits } from './limits.js';
import { DEFAULT_LIMITS } from './limits.js';
import type { OptionReader } from './options.js';
import {
  aFunction,
  anyObject,
  boolean,
  isRecord,
  object,
  optional,
  positiveInteger,
  Problems,
  value,
} from './options.js';
import { defaultContextStore, defaultIds } from './process-state.js';
import type { ProcessorSpec } from './processor.js';
import type { OnError } from './report.js';
import { Reporter } from './report.js';
import { ScopedTracker } from './scoped-tracker.js';
import { ReasonCounter } from './stats.js';
import { systemClock } from './system-clock.js';
import { closeAll, Topology } from './topology.js';
import { TopologyReader } from './topology-plan.js';
import type { TrackedEvents } from './tracked-events.js';
import type { Tracker } from './tracker.js';
import { TrackerRuntime } from './tracker-runtime.js';
import type { TrackerServices } from './tracker-services.js';

/** What an app writes. */
export interface TrackerOptions {
  /** Where events go, by name; nested `{ processors?, backends }` route further. */
  readonly backends: BackendTree;
  /** Run on every event, in this order, before any backend sees it. Default: none. */
  readonly processors?: readonly ProcessorSpec[];
  /** A frame below every other. Default: none. */
  readonly context?: object;
  /** Receives every problem, once. Default: one line on standard error per code and path in 10 s. */
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

/** What a framework adds to the options of an app. */
export interface TrackerHosting {
  /** The tracker's name, told to backends. Default: `default`. */
  readonly name?: string;
  /** Where the default `onError` writes its lines. Default: standard error. */
  readonly write?: WriteLine;
  /** Options of the framework beside the tracker's. */
  readonly options?: Readonly<Record<string, OptionReader<unknown>>>;
  /** Problems that the framework found itself, to be reported together. */
  readonly problems?: Problems;
}

const TITLE = 'the tracking options are wrong';

const trackerOptions = {
  // The topology has a reader of its own.
  backends: (given: unknown) => given,
  processors: (given: unknown) => given,
  context: optional(anyObject),
  onError: optional(aFunction<OnError>()),
  strict: optional(boolean, false),
  contextStore: optional(
    value<ContextStore>('a ContextStore', hasMethods('current', 'run', 'nested', 'scopeOf')),
  ),
  clock: optional(
    value<Clock>(
      'a clock with now, monotonicMs, setTimeout and clearTimeout',
      hasMethods('now', 'monotonicMs', 'setTimeout', 'clearTimeout'),
    ),
  ),
  limits: object({
    maxBytes: optional(positiveInteger, DEFAULT_LIMITS.maxBytes),
    maxDepth: optional(positiveInteger, DEFAULT_LIMITS.maxDepth),
    maxPending: optional(positiveInteger, DEFAULT_LIMITS.maxPending),
    pendingBytes: optional(positiveInteger, DEFAULT_LIMITS.pendingBytes),
    processorTimeoutMs: optional(positiveInteger, DEFAULT_LIMITS.processorTimeoutMs),
    sendTimeoutMs: optional(positiveInteger, DEFAULT_LIMITS.sendTimeoutMs),
    blockTimeoutMs: optional(positiveInteger, DEFAULT_LIMITS.blockTimeoutMs),
  }),
};

/**
 * Makes a tracker.
 *
 * @typeParam Events names and payloads; default: what the app declared in `TrackedEvents`
 * @throws TrackingError `invalid_options`, listing everything that is wrong
 */
export function createTracker<Events = TrackedEvents>(options: TrackerOptions): Tracker<Events> {
  const draft = draftTracker(options, {});
  draft.reader.createClasses();
  return draft.finish() as Tracker<Events>;
}

/** A tracker whose options are read, and whose classes are still to be created. */
export interface TrackerDraft {
  readonly reader: TopologyReader;
  /** Those of the framework among them. */
  readonly options: Readonly<Record<string, unknown>>;
  /** @throws TrackingError `invalid_options` */
  finish(): ScopedTracker;
}

/**
 * @internal Reads the options of a tracker for a framework, which creates the classes among backends and processors.
 *
 * @throws TrackingError `invalid_options` for options that are not even an object
 */
export function draftTracker(options: unknown, hosting: TrackerHosting): TrackerDraft {
  const problems = hosting.problems ?? new Problems();
  const read = object({ ...trackerOptions, ...hosting.options })(
    isRecord(options) ? options : {},
    '',
    problems,
  );
  if (!isRecord(options)) {
    problems.add('options', 'an object', options);
    problems.throwIfAny(TITLE);
  }
  const reader = new TopologyReader(problems);
  const plan = reader.router(options as Record<string, unknown>, '');
  return {
    reader,
    options: read,
    finish: () => {
      problems.throwIfAny(TITLE);
      const clock = read.clock ?? systemClock();
      const store = read.contextStore ?? defaultContextStore();
      const fallback = logReports(clock, hosting.write);
      const reporter = new Reporter(read.onError ?? fallback, fallback, store);
      // Real time shares one ascending sequence in the process; a clock of the app's own has its own.
      const ids = read.clock === undefined ? defaultIds() : new UuidSource();
      const factory = new EventFactory(read.limits, ids, clock, reporter, read.strict);
      const services: TrackerServices = {
        tracker: hosting.name ?? 'default',
        clock,
        limits: read.limits,
        reporter,
        factory,
        counts: { dropped: new ReasonCounter(), accepted: 0, processorErrors: 0 },
      };
      const topology = new Topology(plan, services, problems);
      if (problems.found) {
        closeAll(topology.root);
      }
      problems.throwIfAny(TITLE);
      const runtime = new TrackerRuntime(services, topology, store, read.strict);
      const own = read.context === undefined ? [] : [factory.frame(read.context, 'the context option')];
      return new ScopedTracker(runtime, new TrackerContext(new BaseContext(), own), topology.root.steps);
    },
  };
}

function hasMethods(...names: readonly string[]): (given: unknown) => boolean {
  return (given) => isRecord(given) && names.every((name) => typeof given[name] === 'function');
}
