import type { Backend, BackendSpec, TimeBudget } from './backend.js';
import type { TrackerContext } from './base-context.js';
import { describeValue } from './describe.js';
import { isTrackingError, TrackingError } from './errors.js';
import type { TrackedEvent } from './event.js';
import type { JsonObject } from './json.js';
import type { Frame, MergedContext } from './merged-context.js';
import { anyObject, object, optional, Problems } from './options.js';
import type { DispatchReport } from './outcome.js';
import { DispatchOutcomes } from './outcome.js';
import type { DropReason, ProcessingStep } from './processor.js';
import type { Scope } from './scope.js';
import type { TrackerStats } from './stats.js';
import { TopologyReader } from './topology-plan.js';
import type { EmitOptions } from './tracked-events.js';
import type { ChildOptions, FlushResult } from './tracker.js';
import { Tracker } from './tracker.js';
import type { TrackerRuntime } from './tracker-runtime.js';

/** Any names, any payloads: the types are only for the app. */
type AnyEvents = Record<string, object | null | undefined>;

/** Also known to other copies of this package in the process, which then share scopes. */
const BRAND = Symbol.for('nestjs-tracking.tracker.1');

const childOptions = object({ context: optional(anyObject), processors: (given: unknown) => given });

/** A tracker, or a child of one: what it adds (context, processors) over a runtime that many share. */
export class ScopedTracker extends Tracker<AnyEvents> {
  readonly [BRAND] = true;

  constructor(
    /** @internal */
    readonly runtime: TrackerRuntime,
    private readonly layers: TrackerContext,
    private readonly steps: readonly ProcessingStep[],
  ) {
    super();
  }

  override emit(name: string, data?: object | null, options?: EmitOptions): void {
    const { runtime } = this;
    const scope = runtime.store.current();
    const event = this.create(name, data, options, scope);
    if (typeof event === 'string') {
      return;
    }
    const follower = scope?.root.follower;
    if (follower?.runtime === runtime) {
      follower.take(event, this);
    } else {
      void runtime.dispatch(event, this.steps);
    }
  }

  override async emitAsync(
    name: string,
    data?: object | null,
    options?: EmitOptions,
  ): Promise<DispatchReport> {
    const { runtime } = this;
    const scope = runtime.store.current();
    const event = this.create(name, data, options, scope);
    if (typeof event === 'string') {
      return { dropped: event, outcomes: {} };
    }
    const outcomes = new DispatchOutcomes(true);
    const underWay = runtime.dispatch(event, this.steps, outcomes);
    const follower = scope?.root.follower;
    if (follower?.runtime === runtime) {
      follower.dispatched(outcomes, underWay);
    }
    if (underWay !== undefined) {
      await underWay;
    }
    return outcomes.report(event);
  }

  override context<T>(name: string, data: object, work: () => T): T {
    return this.runtime.store.nested(name, this.frame(name, data), work);
  }

  override enterContext(name: string, data: object): void {
    const { base } = this.layers;
    const scope = this.runtime.store.current();
    if (scope !== undefined) {
      scope.enter(name, this.frame(name, data));
    } else if (base.sealed) {
      this.runtime.misused(
        'context_outside_scope',
        `enterContext(${describeValue(name)}) outside any request or context() was refused: it would mark every event of the process`,
      );
    } else {
      base.enter(name, this.frame(name, data));
    }
  }

  override exitContext(name: string): void {
    const { base } = this.layers;
    const scope = this.runtime.store.current();
    const wasEntered = scope === undefined ? base.exit(name) : scope.exit(name);
    if (!wasEntered) {
      const why = base.has(name)
        ? 'it was entered outside any scope, where alone it can be left; it stays'
        : 'no such context was entered';
      this.runtime.misused('unknown_context', `exitContext(${describeValue(name)}): ${why}`);
    }
  }

  override resolveContext(): JsonObject {
    return this.resolve(this.runtime.store.current()).object;
  }

  override child(options: ChildOptions): Tracker<AnyEvents> {
    const draft = this.draftChild(options, new Problems());
    draft.reader.createClasses();
    return draft.finish();
  }

  /** @internal A child whose classes a framework creates before it calls `finish`. */
  draftChild(
    options: ChildOptions | undefined,
    problems: Problems,
  ): { readonly reader: TopologyReader; finish(): ScopedTracker } {
    const { context, processors } = childOptions(options ?? 'nothing', '', problems);
    const reader = new TopologyReader(problems);
    const steps = reader.steps(processors, 'processors');
    return {
      reader,
      finish: () => {
        problems.throwIfAny('the options of the child tracker are wrong');
        const { runtime, layers } = this;
        const frame = context && runtime.services.factory.frame(context, 'the context of a child tracker');
        return new ScopedTracker(runtime, frame === undefined ? layers : layers.with(frame), [
          ...steps,
          ...this.steps,
        ]);
      },
    };
  }

  override backend(path: string): Backend {
    return this.runtime.topology.backend(path);
  }

  override register(path: string, backend: BackendSpec): void {
    const { runtime } = this;
    if (runtime.isClosed) {
      throw new TrackingError(
        'closed',
        `cannot register the backend ${describeValue(path)}: the tracker is closed`,
      );
    }
    runtime.retire(runtime.topology.register(path, backend));
  }

  override flush(budget?: Partial<TimeBudget>): Promise<FlushResult> {
    return this.runtime.flush(budget);
  }

  override close(budget?: Partial<TimeBudget>): Promise<FlushResult> {
    return this.runtime.close(budget);
  }

  override stats(): TrackerStats {
    return this.runtime.stats();
  }

  /** @internal Sends an event that a scope has taken. */
  dispatch(event: TrackedEvent, outcomes?: DispatchOutcomes): Promise<void> | undefined {
    return this.runtime.dispatch(event, this.steps, outcomes);
  }

  /** @internal Counts an event that a scope has taken and does not send. */
  drop(reason: DropReason): void {
    this.runtime.services.counts.dropped.add(reason);
  }

  /** @internal A host serves: from now on nothing is entered outside a scope. */
  seal(): void {
    this.layers.base.sealed = true;
  }

  private create(
    name: string,
    data: unknown,
    options: EmitOptions | undefined,
    scope: Scope | undefined,
  ): TrackedEvent | DropReason {
    const { runtime } = this;
    const { factory } = runtime.services;
    let created: TrackedEvent | DropReason;
    try {
      if (runtime.isClosed) {
        runtime.misused('closed', `event ${describeValue(name)} was dropped: the tracker is closed`);
        created = 'closed';
      } else {
        let context = this.resolve(scope);
        if (options?.context !== undefined) {
          context = context.with(factory.frame(options.context, 'the context of an event'));
        }
        created = factory.create(name, data, options, context, runtime.store.isReporting);
      }
    } catch (error) {
      if (runtime.strict && isTrackingError(error)) {
        throw error;
      }
      runtime.report('unserialisable', 'an event was dropped: it cannot be read', error);
      created = 'unserialisable';
    }
    if (typeof created === 'string') {
      this.drop(created);
      const follower = scope?.root.follower;
      if (follower?.runtime === runtime) {
        follower.dropped(created);
      }
    }
    return created;
  }

  private resolve(scope: Scope | undefined): MergedContext {
    return scope === undefined ? this.layers.outside() : scope.resolve(this.layers);
  }

  private frame(name: string, data: object): Frame {
    return this.runtime.services.factory.frame(data, 'context', name);
  }
}

/** Whether a value is a tracker of this package, or of another copy of the same version. */
export function isScopedTracker(value: unknown): value is ScopedTracker {
  return typeof value === 'object' && value !== null && BRAND in value;
}
