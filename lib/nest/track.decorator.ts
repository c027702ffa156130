import 'reflect-metadata';
import type { CallHandler, ExecutionContext, NestInterceptor, Type } from '@nestjs/common';
import { applyDecorators, Inject, Injectable, Optional, UseInterceptors } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { finalize, isObservable, Observable, tap } from 'rxjs';
import { describeValue } from '../core/describe.js';
import { TrackingError } from '../core/errors.js';
import type { ScopedTracker } from '../core/scoped-tracker.js';
import { isThenable } from '../core/thenable.js';
import type { EventName, EventPayload, TrackedEvents } from '../core/tracked-events.js';
import type { Tracker } from '../core/tracker.js';
import { copyMetadata, isMethod } from './method-metadata.js';
import { TrackingInterceptor } from './scope.interceptor.js';
import { TrackingHost } from './tracking-host.js';
import { DEFAULT_NAME, getTrackerToken } from './tracking.tokens.js';

type Outcome = 'success' | 'failure';
type AnyTracker = Tracker<Record<string, object | null | undefined>> &
  Partial<Pick<ScopedTracker, 'runtime'>>;

/** @typeParam Name of the event, whose payload `data` has to make */
export interface TrackOptions<Name extends string = string> {
  /**
   * The payload, made of what the method returned, or threw. Default: none; for failures `{ error }`, the error's name. A
   * method, so that an app may name the type of result it expects.
   *
   * @param execution of a handler; absent on a provider's method
   */
  data?(result: unknown, execution: ExecutionContext): EventPayload<TrackedEvents, Name> | null | undefined;
  /**
   * Default: `success`. Success is what the method completes with, not what the client receives. A stream that is left
   * before its end is a success with what it returned last; a handler left before any answer fails with an `AbortError`.
   */
  readonly on?: 'success' | 'failure' | 'both';
  /** The name of another tracker; a boot without it fails. Default: the one that the class's own module injects. */
  readonly tracker?: string;
}

/** One `@Track`. */
interface TrackDefinition extends TrackOptions {
  readonly name: string;
  /** Classes on which Nest calls the method as a handler: there the interceptor emits. */
  readonly handlers: WeakSet<object>;
}

const TRACK = Symbol.for('nestjs-tracking.track');

/** Switches `@Track` off: on a handler of a controller that has it, or on a whole controller. */
export const NoTrack = Reflector.createDecorator<undefined, boolean | undefined>({ transform: () => true });

/**
 * Emits an event when a method has returned, in its context: a handler of Nest, or a method of any provider. On a
 * controller, resolver or gateway it means all of its handlers; on a handler it takes the place of the class's. Several on
 * one method each emit their event.
 */
export function Track<Name extends EventName>(
  name: Name,
  options: TrackOptions<Name> = {},
): ClassDecorator & MethodDecorator {
  const definition = { name, ...options, handlers: new WeakSet() } as TrackDefinition;
  return applyDecorators(
    wrapMethod(definition),
    addDefinition(definition),
    UseInterceptors(trackInterceptor(definition)),
  );
}

/** Beside those that the same class or method has. */
function addDefinition(definition: TrackDefinition): ClassDecorator & MethodDecorator {
  return (target: object, _key?: unknown, descriptor?: PropertyDescriptor) => {
    const place = (descriptor?.value ?? target) as object;
    const others = (Reflect.getOwnMetadata(TRACK, place) ?? []) as TrackDefinition[];
    Reflect.defineMetadata(TRACK, [...others, definition], place);
  };
}

/** What Nest does not call itself, no interceptor sees: the method looks after itself. */
function wrapMethod(definition: TrackDefinition): ClassDecorator & MethodDecorator {
  return (target: object, _key?: unknown, descriptor?: PropertyDescriptor) => {
    const original: unknown = descriptor?.value;
    if (descriptor === undefined || !isMethod(original)) {
      return;
    }
    const trackerKey = Symbol('nestjs-tracking:tracker');
    const hostKey = Symbol('nestjs-tracking:host');
    inject(target, trackerKey, getTrackerToken(definition.tracker));
    inject(target, hostKey, TrackingHost);
    const wrapper = function (this: Record<symbol, unknown> | undefined, ...args: never[]): unknown {
      const tracker = this?.[trackerKey] as AnyTracker | undefined;
      const host = this?.[hostKey] as TrackingHost | undefined;
      const call = (): unknown => original.apply(this, args);
      const isHandler = this !== undefined && definition.handlers.has(this.constructor);
      return tracker === undefined || isHandler || host?.performsTrack === false
        ? call()
        : trackCall(call, emitterOf(definition, tracker, undefined));
    };
    copyMetadata(original, wrapper);
    descriptor.value = wrapper;
  };
}

function inject(target: object, key: symbol, token: string | typeof TrackingHost): void {
  Optional()(target, key);
  Inject(token)(target, key);
}

/** An interceptor for one `@Track`: Nest gives it the tracker of the module that the controller belongs to. */
function trackInterceptor(definition: TrackDefinition): Type<NestInterceptor> {
  @Injectable()
  class TrackInterceptor implements NestInterceptor {
    constructor(
      // In tests it may be anything that has an `emit`.
      @Optional()
      @Inject(getTrackerToken(definition.tracker))
      private readonly tracker: AnyTracker | undefined,
      @Optional()
      @Inject(TrackingHost)
      private readonly host: TrackingHost | undefined,
      @Inject(Reflector) private readonly reflector: Reflector,
    ) {
      // Without the module of this package, as in a test of the controller alone, there is nothing to track with.
      if (tracker === undefined && host !== undefined) {
        throw new TrackingError(
          'invalid_options',
          `@Track(${describeValue(definition.name)}) finds no tracker named ${describeValue(definition.tracker ?? DEFAULT_NAME)} in the module of its controller`,
        );
      }
    }

    intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
      const { tracker, host } = this;
      definition.handlers.add(execution.getClass());
      if (tracker === undefined || !this.applies(execution)) {
        return next.handle();
      }
      const work = (): Observable<unknown> =>
        follow(next.handle(), emitterOf(definition, tracker, execution));
      return host === undefined ? work() : new TrackingInterceptor(host).within(execution, work);
    }

    private applies(execution: ExecutionContext): boolean {
      const places = [execution.getHandler(), execution.getClass()];
      return (
        this.host?.performsTrack !== false &&
        this.reflector.getAllAndOverride(NoTrack, places) !== true &&
        // The controller's do nothing where the handler has its own.
        this.reflector.getAllAndOverride<TrackDefinition[]>(TRACK, places).includes(definition)
      );
    }
  }
  return TrackInterceptor;
}

type Emit = (outcome: Outcome, result: unknown) => void;

function emitterOf(
  definition: TrackDefinition,
  tracker: AnyTracker,
  execution: ExecutionContext | undefined,
): Emit {
  const { name, on = 'success' } = definition;
  // Whoever ends an Observable, or leaves it, may do so in another scope.
  const store = tracker.runtime?.store;
  const scope = store?.current();
  const inScope = (run: () => void): void => {
    if (store === undefined || scope === undefined) {
      run();
    } else {
      store.run(scope, run);
    }
  };
  const payload = (outcome: Outcome, result: unknown): object | null | undefined => {
    if (definition.data === undefined) {
      return outcome === 'success' ? undefined : { error: nameOf(result) };
    }
    try {
      return definition.data(result, execution as ExecutionContext);
    } catch (error) {
      const message = `the data function of @Track(${describeValue(name)}) failed; the event goes without a payload`;
      tracker.runtime?.report('callback_failed', message, error);
      return undefined;
    }
  };
  return (outcome, result) => {
    if (on === outcome || on === 'both') {
      inScope(() => {
        tracker.emit(name, payload(outcome, result));
      });
    }
  };
}

/** Emits once: when a method has returned, or what it returned has settled. */
function trackCall(call: () => unknown, emit: Emit): unknown {
  let result: unknown;
  try {
    result = call();
  } catch (error) {
    emit('failure', error);
    throw error;
  }
  if (isObservable(result)) {
    return follow(result, emit);
  }
  if (!isThenable(result)) {
    emit('success', result);
    return result;
  }
  return Promise.resolve(result).then(
    (value) => {
      emit('success', value);
      return value;
    },
    (error: unknown) => {
      emit('failure', error);
      throw error;
    },
  );
}

/**
 * Emits once: when the source has ended, or when nobody wants to receive the rest of it (a client went away from a stream, a
 * time limit was over).
 */
function follow(source: Observable<unknown>, emit: Emit): Observable<unknown> {
  return new Observable((subscriber) => {
    let last: { readonly value: unknown } | undefined;
    let isOver = false;
    const end = (outcome: Outcome, result: unknown): void => {
      isOver = true;
      emit(outcome, result);
    };
    return source
      .pipe(
        tap({
          next: (value: unknown) => {
            last = { value };
          },
          complete: () => {
            end('success', last?.value);
          },
          error: (error: unknown) => {
            end('failure', error);
          },
        }),
        finalize(() => {
          if (isOver) {
            return;
          }
          if (last === undefined) {
            end('failure', new AbandonedError());
          } else {
            end('success', last.value);
          }
        }),
      )
      .subscribe(subscriber);
  });
}

/** What a handler that was left before it returned counts as. */
class AbandonedError extends Error {
  override readonly name = 'AbortError';

  constructor() {
    super('nobody waits for the result any more');
  }
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return typeof error;
  }
  // A class that extends Error and does no more, like Nest's WsException and RpcException, keeps its name.
  return error.name === 'Error' ? error.constructor.name : error.name;
}
