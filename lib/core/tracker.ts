import type { Backend, BackendSpec, TimeBudget } from './backend.js';
import type { JsonObject } from './json.js';
import type { DispatchReport } from './outcome.js';
import type { ProcessorSpec } from './processor.js';
import type { TrackerStats } from './stats.js';
import type { EmitArguments, EventName, TrackedEvents } from './tracked-events.js';

/** How a `flush` or `close` went. */
export interface FlushResult {
  /** Whether nothing is left. */
  readonly settled: boolean;
  /** Events neither delivered nor dead when the time was up. */
  readonly pending: number;
}

export interface ChildOptions {
  /** Stronger than the parent's `context`, weaker than every scope. */
  readonly context?: object;
  /** Run before the tracker's own. */
  readonly processors?: readonly ProcessorSpec[];
}

/**
 * Emits events in the context of the running code.
 *
 * @typeParam Events names and payloads; default: what the app declared in `TrackedEvents`
 */
export abstract class Tracker<Events = TrackedEvents> {
  /**
   * Records that something happened, now, in the current context. Never throws, never waits.
   *
   * @throws TrackingError only in strict mode: an empty name, a payload that is not JSON, after `close`
   */
  abstract emit<Name extends EventName<Events>>(name: Name, ...rest: EmitArguments<Events, Name>): void;

  /** Like `emit`; resolves when every backend has taken responsibility, or has not. Rejects only in strict mode. */
  abstract emitAsync<Name extends EventName<Events>>(
    name: Name,
    ...rest: EmitArguments<Events, Name>
  ): Promise<DispatchReport>;

  /** Runs the work in a nested scope with one more frame and returns what it returns. */
  abstract context<T>(name: string, data: object, work: () => T): T;

  /** Adds a frame to the current scope; outside any, to what this tracker puts below every scope of the process. */
  abstract enterContext(name: string, data: object): void;

  /** Takes a frame away again. */
  abstract exitContext(name: string): void;

  /** The merged context that an event emitted here would carry. Frozen. */
  abstract resolveContext(): JsonObject;

  /** A tracker with the same backends that adds a context, or looks at its events first. */
  abstract child(options: ChildOptions): Tracker<Events>;

  /**
   * The backend at a path such as `warehouse/http`.
   *
   * @throws TrackingError `unknown_path`
   */
  abstract backend(path: string): Backend;

  /**
   * Adds a backend, or a router with backends, while the app runs, or replaces one; what is replaced is flushed and
   * closed.
   *
   * @throws TrackingError `unknown_path`, `invalid_options`, `closed`
   */
  abstract register(path: string, backend: BackendSpec): void;

  /** Waits until everything accepted before the call is delivered or dead, at most `timeoutMs` (10,000). Never rejects. */
  abstract flush(budget?: Partial<TimeBudget>): Promise<FlushResult>;

  /** Flushes and closes every backend within `timeoutMs` (8,000), once. Later events are dropped as `closed`. */
  abstract close(budget?: Partial<TimeBudget>): Promise<FlushResult>;

  abstract stats(): TrackerStats;
}
