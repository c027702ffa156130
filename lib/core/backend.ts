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
  /** Longest time that an event may wait for room: `limits.blockTimeoutMs`. */
  readonly blockTimeoutMs?: number;
  /** Tells `onError`; the path is filled in. */
  report(report: TrackingReport): void;
}

/** How an event comes to a backend. */
export interface SendOptions {
  /** Whether somebody waits for the event to be accepted, so that it may wait for room: `emitAsync`. */
  readonly waitForRoom: boolean;
  /** Nobody waits for what `send` returns: it may return before the event is stored. Default: false. */
  readonly fireAndForget?: boolean;
}

/** Marks a backend whose `close` itself delivers what is left: the tracker spends no time on a `flush` before. */
export const DRAINS_ON_CLOSE: unique symbol = Symbol.for('nestjs-tracking.drainsOnClose');

/**
 * Where events go. `send` settles when responsibility is taken: what it resolves for is accepted, what it throws or
 * rejects for is dropped as `failed`, reported and counted, and hurts no other backend. A `TrackingError` of code
 * `overflow`, `too_large` or `closed` says that it was refused for that reason.
 */
export interface Backend {
  /** Called once, before the first `send`. */
  attach?(host: BackendHost): void;
  send(event: TrackingEvent, options?: SendOptions): MaybePromise<void>;
  /** Resolves when everything accepted before the call is delivered or dead, or the time is up. */
  flush?(budget?: TimeBudget): Promise<void>;
  close?(budget?: TimeBudget): Promise<void>;
  /** @internal */
  readonly [DRAINS_ON_CLOSE]?: true;
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
