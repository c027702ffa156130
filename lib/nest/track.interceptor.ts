import type { CallHandler, ExecutionContext, NestInterceptor, Type } from '@nestjs/common';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Observable } from 'rxjs';
import { finalize, tap } from 'rxjs';
import { TrackingError } from '../core/errors.js';
import type { ScopedTracker } from '../core/scoped-tracker.js';
import type { Tracker } from '../core/tracker.js';
import { ExecutionDoor } from './execution-door.js';
import { NO_TRACK, TRACK } from './track.metadata.js';
import type { TrackDefinition } from './track.metadata.js';
import { DEFAULT_NAME, getTrackerToken } from './tracker.tokens.js';

type Outcome = 'success' | 'failure';
type AnyTracker = Tracker<Record<string, object | null | undefined>>;

/** An interceptor for one `@Track`: Nest gives it the tracker of the module that the controller belongs to. */
export function trackInterceptor(definition: TrackDefinition): Type<NestInterceptor> {
  const { name, on = 'success' } = definition;

  @Injectable()
  class TrackInterceptor implements NestInterceptor {
    constructor(
      // In tests it may be anything that has an `emit`.
      @Optional()
      @Inject(getTrackerToken(definition.tracker))
      private readonly tracker: (AnyTracker & Partial<Pick<ScopedTracker, 'runtime'>>) | undefined,
      @Optional()
      @Inject(ExecutionDoor)
      private readonly door: ExecutionDoor | undefined,
      @Inject(Reflector) private readonly reflector: Reflector,
    ) {
      // Without the module of this package, as in a test of the controller alone, there is nothing to track with.
      if (tracker === undefined && door !== undefined) {
        throw new TrackingError(
          'invalid_options',
          `@Track(${JSON.stringify(name)}) finds no tracker named ${JSON.stringify(definition.tracker ?? DEFAULT_NAME)} in the module of its controller`,
        );
      }
    }

    intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
      if (this.tracker === undefined || !this.applies(execution)) {
        return next.handle();
      }
      const work = (): Observable<unknown> => this.follow(execution, next);
      return this.door?.within(execution, work) ?? work();
    }

    private applies(execution: ExecutionContext): boolean {
      const places = [execution.getHandler(), execution.getClass()];
      return (
        this.door?.performsTrack !== false &&
        this.reflector.getAllAndOverride(NO_TRACK, places) !== true &&
        // The controller's do nothing where the handler has its own.
        this.reflector.getAllAndOverride<TrackDefinition[]>(TRACK, places).includes(definition)
      );
    }

    /**
     * Emits once: when the handler has answered, or when nobody wants to hear the rest of its answer (a client went
     * away from a stream, a time limit was over).
     */
    private follow(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
      // Whoever ends an Observable, or leaves it, may do so in another scope.
      const inScope = this.door?.keepScope() ?? runNow;
      let last: { readonly value: unknown } | undefined;
      let over = false;
      const end = (outcome: Outcome, result: unknown): void => {
        over = true;
        if (on === outcome || on === 'both') {
          inScope(() => {
            this.emit(outcome, result, execution);
          });
        }
      };
      return next.handle().pipe(
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
          if (over) {
            return;
          }
          if (last === undefined) {
            end('failure', new AbandonedError());
          } else {
            end('success', last.value);
          }
        }),
      );
    }

    private emit(outcome: Outcome, result: unknown, execution: ExecutionContext): void {
      this.tracker?.emit(name, this.payload(outcome, result, execution));
    }

    private payload(
      outcome: Outcome,
      result: unknown,
      execution: ExecutionContext,
    ): object | null | undefined {
      if (definition.data === undefined) {
        return outcome === 'success' ? undefined : { error: nameOf(result) };
      }
      try {
        return definition.data(result, execution);
      } catch (error) {
        this.tracker?.runtime?.report(
          'callback_failed',
          `the data function of @Track(${JSON.stringify(name)}) failed; the event goes without a payload`,
          error,
        );
        return undefined;
      }
    }
  }
  return TrackInterceptor;
}

/** What a handler that was left before it answered counts as. */
class AbandonedError extends Error {
  override readonly name = 'AbortError';

  constructor() {
    super('nobody waits for the answer any more');
  }
}

function runNow(run: () => void): void {
  run();
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return typeof error;
  }
  // A class that extends Error and does no more, like Nest's WsException and RpcException, keeps its name.
  return error.name === 'Error' ? error.constructor.name : error.name;
}
