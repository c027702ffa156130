import type { Backend, TimeBudget } from './backend.js';
import type { TrackedEvent } from './event.js';
import type { EmitOptions } from './event-factory.js';
import type { JsonObject } from './json.js';
import { isTrackingError, TrackingError } from './errors.js';
import type { DispatchReport } from './outcome.js';
import { ReportedTrace, Trace } from './outcome.js';
import type { ProcessingStep } from './processing-step.js';
import type { DropReason } from './processor.js';
import { ResolvedContext, EMPTY_CONTEXT } from './resolved-context.js';
import type { Scope } from './scope.js';
import type { HeldEvent, ScopeAccounting, ScopeOwner } from './scope-owner.js';
import { describeValue } from './describe.js';
import type { TrackerStats } from './stats.js';
import { TopologyPlanner } from './topology-plan.js';
import type { ChildOptions, FlushResult } from './tracker.js';
import { Tracker } from './tracker.js';
import type { TrackerRuntime } from './tracker-runtime.js';
import { isRecord, Problems } from './options.js';

/** Any names, any payloads: the types are only for the app. */
type AnyEvents = Record<string, object | null | undefined>;

const CHILD_KEYS: readonly (keyof ChildOptions)[] = ['context', 'processors'];
const CHILD_PROBLEM = 'the options of the child tracker are wrong';

/** A tracker, or a child of one: what it adds (layers of context, processors) over a runtime that many share. */
export class ScopedTracker extends Tracker<AnyEvents> {
  private readonly layers: () => JsonObject;

  constructor(
    /** @internal */
    readonly runtime: TrackerRuntime,
    private readonly below: readonly JsonObject[],
    private readonly steps: readonly ProcessingStep[],
  ) {
    super();
    this.layers = runtime.base.layered(below);
  }

  emit(name: string, data?: object | null, options?: EmitOptions): void {
    const scope = this.runtime.store.current();
    const event = this.create(name, data, options, scope);
    if (typeof event === 'string') {
      return;
    }
    const owner = scope?.owner;
    if (owner === undefined) {
      void this.runtime.dispatch(event, this.steps);
    } else {
      this.emitOwned(event, owner);
    }
  }

  emitAsync(name: string, data?: object | null, options?: EmitOptions): Promise<DispatchReport> {
    // One promise, and no more: with async hooks they are dear. What is thrown here, in strict mode, rejects it.
    return new Promise((resolve) => {
      const scope = this.runtime.store.current();
      const event = this.create(name, data, options, scope);
      if (typeof event === 'string') {
        resolve({ dropped: event, outcomes: {} });
        return;
      }
      const trace = new ReportedTrace(true);
      const underWay = this.runtime.dispatch(event, this.steps, trace);
      scope?.owner?.accounting?.dispatched(trace, underWay);
      if (underWay === undefined) {
        resolve(trace.report(event));
      } else {
        underWay.whenEnded(() => {
          resolve(trace.report(event));
        });
      }
    });
  }

  context<T>(name: string, data: object, work: () => T): T {
    return this.runtime.store.nested(name, this.frame(name, data), work);
  }

  enterContext(name: string, data: object): void {
    const { store, base } = this.runtime;
    const scope = store.current();
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

  exitContext(name: string): void {
    const scope = this.runtime.store.current();
    if (!(scope?.exit(name) ?? this.runtime.base.exit(name))) {
      this.runtime.misused(
        'unknown_context',
        `exitContext(${describeValue(name)}): no such context was entered`,
      );
    }
  }

  resolveContext(): JsonObject {
    return this.resolve(this.runtime.store.current()).object;
  }

  /** @param problems what a framework found wrong with the options itself, to be told together */
  child(options: ChildOptions, problems = new Problems()): Tracker<AnyEvents> {
    const { runtime } = this;
    if (!isRecord(options)) {
      problems.add('the options', 'an object', options);
      problems.throwIfAny(CHILD_PROBLEM);
    }
    problems.onlyKeys('', options, CHILD_KEYS);
    const { context, processors } = options;
    problems.optional(context, (value) => {
      if (!isRecord(value)) {
        problems.add('context', 'an object', value);
      }
    });
    const planner = new TopologyPlanner(runtime.instantiate, problems);
    const steps = planner.steps(processors, 'processors');
    problems.throwIfAny(CHILD_PROBLEM);
    const below =
      context === undefined
        ? this.below
        : [...this.below, runtime.services.factory.clean(context, 'the context of a child tracker')];
    return new ScopedTracker(runtime, below, [...steps, ...this.steps]);
  }

  backend(path: string): Backend {
    return this.runtime.topology.backend(path);
  }

  register(path: string, backend: Backend): void {
    if (this.runtime.isClosed) {
      throw new TrackingError(
        'closed',
        `cannot register the backend ${describeValue(path)}: the tracker is closed`,
      );
    }
    const replaced = this.runtime.topology.register(path, backend);
    if (replaced !== undefined && replaced.backend !== backend) {
      this.runtime.retire(replaced);
    }
  }

  flush(budget?: Partial<TimeBudget>): Promise<FlushResult> {
    return this.runtime.flush(budget);
  }

  close(budget?: Partial<TimeBudget>): Promise<FlushResult> {
    return this.runtime.close(budget);
  }

  stats(): TrackerStats {
    return this.runtime.stats();
  }

  private create(
    name: string,
    data: unknown,
    options: EmitOptions | undefined,
    scope: Scope | undefined,
  ): TrackedEvent | DropReason {
    const { runtime } = this;
    let born: TrackedEvent | DropReason;
    try {
      if (runtime.isClosed) {
        runtime.misused('closed', `event ${describeValue(name)} was dropped: the tracker is closed`);
        born = 'closed';
      } else {
        const context = this.resolve(scope);
        born = runtime.services.factory.create(
          name,
          data,
          options,
          options?.context === undefined ? context : this.extend(context, options.context),
        );
      }
    } catch (error) {
      if (runtime.strict && isTrackingError(error)) {
        throw error;
      }
      runtime.report('unserialisable', 'an event was dropped: it cannot be read', error);
      born = 'unserialisable';
    }
    if (typeof born === 'string') {
      runtime.services.counts.dropped.add(born);
      scope?.owner?.accounting?.dropped(born);
    }
    return born;
  }

  private emitOwned(event: TrackedEvent, owner: ScopeOwner): void {
    const { accounting } = owner;
    const held = owner.hold?.(this.heldEvent(event, accounting)) ?? false;
    if (!held) {
      this.dispatchOwned(event, accounting);
    }
  }

  private heldEvent(event: TrackedEvent, accounting: ScopeAccounting | undefined): HeldEvent {
    const { services } = this.runtime;
    const drop = (reason: DropReason): void => {
      services.counts.dropped.add(reason);
      accounting?.dropped(reason);
    };
    return {
      event,
      drop,
      release: (context) => {
        const released = context === undefined ? event : services.factory.inContext(event, context);
        if (typeof released === 'string') {
          drop(released);
        } else {
          this.dispatchOwned(released, accounting);
        }
      },
    };
  }

  private dispatchOwned(event: TrackedEvent, accounting: ScopeAccounting | undefined): void {
    if (accounting === undefined) {
      void this.runtime.dispatch(event, this.steps);
      return;
    }
    const trace = new Trace(accounting.waitsForRoom);
    accounting.dispatched(trace, this.runtime.dispatch(event, this.steps, trace));
  }

  private resolve(scope: Scope | undefined): ResolvedContext {
    const layers = this.layers();
    return scope === undefined ? this.outside(layers) : scope.resolve(layers);
  }

  /** Outside any scope there is only what the tracker itself adds. */
  private outside(layers: JsonObject): ResolvedContext {
    return Object.keys(layers).length === 0 ? EMPTY_CONTEXT : new ResolvedContext(layers);
  }

  private extend(context: ResolvedContext, more: object): ResolvedContext {
    const frame = this.runtime.services.factory.clean(more, 'the context of an event');
    return new ResolvedContext(frame, context);
  }

  private frame(name: string, data: object): JsonObject {
    return this.runtime.services.factory.frame(name, data);
  }
}
