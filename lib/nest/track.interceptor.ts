import type {
  CallHandler,
  ExecutionContext,
  NestInterceptor,
  Type,
} from '@nestjs/common';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Observable } from 'rxjs';
import { tap } from 'rxjs';
import type { ScopedTracker } from '../core/scoped-tracker.js';
import { ExecutionDoor } from './execution-door.js';
import { NO_TRACK, TRACK } from './track.metadata.js';
import type { TrackDefinition } from './track.metadata.js';
import { getTrackerToken } from './tracker.tokens.js';

type Outcome = 'success' | 'failure';

/** An interceptor for one `@Track`: Nest gives it the tracker of the module that the controller belongs to. */
export function trackInterceptor(
  definition: TrackDefinition,
): Type<NestInterceptor> {
  const { name, on = 'success' } = definition;

  @Injectable()
  class TrackInterceptor implements NestInterceptor {
    constructor(
      @Optional()
      @Inject(getTrackerToken(definition.tracker))
      private readonly tracker: ScopedTracker | undefined,
      @Optional()
      @Inject(ExecutionDoor)
      private readonly door: ExecutionDoor | undefined,
      @Inject(Reflector) private readonly reflector: Reflector,
    ) {}

    intercept(
      execution: ExecutionContext,
      next: CallHandler,
    ): Observable<unknown> {
      if (this.tracker === undefined || !this.applies(execution)) {
        return next.handle();
      }
      const work = (): Observable<unknown> => this.follow(execution, next);
      return this.door?.within(execution, work) ?? work();
    }

    private applies(execution: ExecutionContext): boolean {
      const places = [execution.getHandler(), execution.getClass()];
      return (
        this.door?.tracksHandlers !== false &&
        this.reflector.getAllAndOverride(NO_TRACK, places) !== true &&
        // The controller's does nothing where the handler has its own.
        this.reflector.getAllAndOverride(TRACK, places) === definition
      );
    }

    private follow(
      execution: ExecutionContext,
      next: CallHandler,
    ): Observable<unknown> {
      let last: unknown;
      return next.handle().pipe(
        tap({
          next: (value: unknown) => {
            last = value;
          },
          complete: () => {
            this.emit('success', last, execution);
          },
          error: (error: unknown) => {
            this.emit('failure', error, execution);
          },
        }),
      );
    }

    private emit(
      outcome: Outcome,
      result: unknown,
      execution: ExecutionContext,
    ): void {
      if (on === outcome || on === 'both') {
        this.tracker?.emit(name, this.payload(outcome, result, execution));
      }
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
        this.tracker?.runtime.report(
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

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return typeof error;
  }
  // A class that extends Error and does no more, like Nest's WsException and RpcException, keeps its name.
  return error.name === 'Error' ? error.constructor.name : error.name;
}
