import type { Clock } from './clock.js';
import type { TrackingEvent } from './event.js';
import type { MaybePromise, ProcessorSpec, Type } from './processor.js';
import type { TrackingReport } from './report.js';
import type { BackendStats } from './stats.js';

/** How long something may take, all in all. */
export interface TimeBudget {
  readonly timeoutMs: number;
}

/** What a backend is told about its place. */
export interface BackendHost {
  /** The name of the tracker (`default` unless the app named it). */
  readonly tracker: string;
  /** Where in the topology it stands: `warehouse/http`. */
  readonly path: string;
  readonly clock: Clock;
  /** Tells `onError`; the path is filled in. */
  report(report: TrackingReport): void;
}

/**
 * Where events go. `send` settles when responsibility is taken: what it resolves for is accepted, what it throws or
 * rejects for is dropped as `failed`, reported and counted, and hurts no other backend.
 */
export interface Backend {
  /** Called once, before the first `send`. */
  attach?(host: BackendHost): void;
  send(event: TrackingEvent): MaybePromise<void>;
  /** Resolves when everything accepted before the call is delivered or dead, or the time is up. */
  flush?(budget?: TimeBudget): Promise<void>;
  close?(budget?: TimeBudget): Promise<void>;
  /** For backends that deliver on their own: their counts replace the tracker's. */
  stats?(): BackendStats;
}

/** A node that routes: its processors see the event first, then its backends in the order of the keys. */
export interface RouterSpec {
  readonly processors?: readonly ProcessorSpec[];
  readonly backends: BackendTree;
}

export type BackendSpec = Backend | Type<Backend> | RouterSpec;

export type BackendTree = Readonly<Record<string, BackendSpec>>;
