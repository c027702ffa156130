import { BaseContext } from './base-context.js';
import type { WriteLine } from './console-reporter.js';
import { logReports } from './console-reporter.js';
import { EventFactory } from './event-factory.js';
import { UuidSource } from './ids.js';
import { DEFAULT_LIMITS } from './limits.js';
import type { NodeServices } from './node.js';
import type { Instantiate } from './processing-step.js';
import { defaultContextStore, defaultIds } from './process-state.js';
import { Reporter } from './report.js';
import { ScopedTracker } from './scoped-tracker.js';
import { ReasonCounter } from './stats.js';
import { systemClock } from './system-clock.js';
import { IsoClock } from './timestamps.js';
import { Topology } from './topology.js';
import { TopologyPlanner } from './topology-plan.js';
import type { TrackedEvents } from './tracked-events.js';
import type { Tracker } from './tracker.js';
import type { TrackerOptions } from './tracker-options.js';
import { checkTrackerOptions } from './tracker-options.js';
import { DEFAULT_CLOSE_MS, TrackerRuntime } from './tracker-runtime.js';
import { isRecord, Problems } from './options.js';

/** What a framework adds to the options of an app. */
export interface TrackerHosting {
  /** The tracker's name, told to backends. Default: `default`. */
  readonly name?: string;
  /** Where the default `onError` writes its lines. Default: standard error. */
  readonly write?: WriteLine;
  /** Options of the framework beside the tracker's, already checked by it. */
  readonly moreOptions?: readonly string[];
  /** Problems that the framework found itself, to be told together. */
  readonly problems?: Problems;
}

/**
 * Makes a tracker.
 *
 * @typeParam Events names and payloads; default: what the app declared in `TrackedEvents`
 * @throws TrackingError `invalid_options`, listing everything that is wrong
 */
export function createTracker<Events = TrackedEvents>(options: TrackerOptions): Tracker<Events> {
  return hostTracker(options, {}) as Tracker<Events>;
}

/** @internal Makes a tracker for a framework. */
export function hostTracker(options: TrackerOptions, hosting: TrackerHosting): ScopedTracker {
  const problems = hosting.problems ?? new Problems();
  const instantiate: Instantiate = (type) => new type();
  if (!isRecord(options)) {
    problems.add('options', 'an object', options);
    problems.throwIfAny('the tracking options are wrong');
  }
  checkTrackerOptions(options, problems, hosting.moreOptions);
  const plan = new TopologyPlanner(instantiate, problems).router(options, '');
  problems.throwIfAny('the tracking options are wrong');

  const clock = options.clock ?? systemClock();
  const fallback = logReports(clock, hosting.write);
  const reporter = new Reporter(options.onError ?? fallback, fallback);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const strict = options.strict ?? false;
  // Real time shares one ascending sequence in the process; a clock of the app's own has its own.
  const ids = options.clock === undefined ? defaultIds() : new UuidSource();
  const services: NodeServices = {
    tracker: hosting.name ?? 'default',
    clock,
    limits,
    reporter,
    factory: new EventFactory(limits, ids, new IsoClock(clock), reporter, strict),
    counts: { dropped: new ReasonCounter(), accepted: 0, processorErrors: 0 },
    nextId: () => ids.next(clock.now()),
  };
  const topology = new Topology(plan, services, problems);
  if (problems.found) {
    for (const leaf of topology.leaves()) {
      void leaf.close({ timeoutMs: DEFAULT_CLOSE_MS });
    }
  }
  problems.throwIfAny('the tracking options are wrong');
  const runtime = new TrackerRuntime(
    services,
    topology,
    options.contextStore ?? defaultContextStore(),
    new BaseContext(),
    strict,
    instantiate,
  );
  const below =
    options.context === undefined ? [] : [services.factory.clean(options.context, 'the context option')];
  return new ScopedTracker(runtime, below, []);
}
