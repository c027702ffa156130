import type { ExecutionContext } from '@nestjs/common';
import { Inject, Injectable } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { map, tap } from 'rxjs';
import type { ContextStore } from '../core/context-store.js';
import { RequestContext } from '../express/request-context.js';
import { ExecutionScopes } from './execution-scopes.js';
import { reachHandler } from './handler-frame.js';
import { hasOtherTransports } from './other-transports.js';
import { requestScope } from './request-scope.js';
import { answerWithin, observableWithin } from './scoped-answer.js';
import { TrackingHost } from './tracking-host.js';

/** Opens and finds the scopes of Nest's handlers, on every transport. Idempotent: many doors lead to one scope. */
@Injectable()
export class ExecutionDoor {
  constructor(@Inject(TrackingHost) private readonly host: TrackingHost) {}

  /** Whether handlers are known to events at all. */
  get tracksHandlers(): boolean {
    return this.host.enricher?.extras.interceptor === true;
  }

  /** Whether `@Track` acts; also where no instance follows requests. */
  get performsTrack(): boolean {
    return this.host.enricher?.extras.interceptor !== false;
  }

  /** How to run something later in the scope of now. */
  keepScope(): (run: () => void) => void {
    const store = this.store();
    const scope = store?.current();
    return (run) => {
      if (store === undefined || scope === undefined) {
        run();
      } else {
        store.run(scope, run);
      }
    };
  }

  /** Whether there are handlers that only an interceptor reaches, or of which more must be known than a guard sees. */
  get needsInterceptor(): boolean {
    const { enricher } = this.host;
    return (
      enricher !== undefined &&
      (!enricher.extras.middleware ||
        (enricher.extras.interceptor &&
          (!this.host.servesHttp() ||
            enricher.requests.options.hold !== undefined ||
            hasOtherTransports(this.host.modules))))
    );
  }

  /** Tells the request's scope its handler. */
  reachHandler(execution: ExecutionContext): void {
    const store = this.store();
    if (store !== undefined) {
      // `switchToHttp` makes three functions at each call.
      const request = execution.getArgByIndex<object>(0);
      reachHandler(execution, requestScope(store, request));
    }
  }

  /** Runs a handler in its scope. What it answers is subscribed to, and torn down, inside. */
  within(execution: ExecutionContext, handle: () => Observable<unknown>): Observable<unknown> {
    const requests = this.host.enricher?.requests;
    if (requests === undefined) {
      return handle();
    }
    const { store } = requests.tracker.runtime;
    const scope = new ExecutionScopes(requests, this.tracksHandlers).scopeOf(execution);
    const run = store.current() === scope ? handle() : observableWithin(store, scope, handle);
    const answer =
      execution.getType<string>() === 'graphql'
        ? // What a subscription answers is asked for its events from outside.
          run.pipe(map((value) => answerWithin(store, scope, value)))
        : run;
    const { owner } = scope;
    return owner instanceof RequestContext ? answer.pipe(seeError(owner)) : answer;
  }

  private store(): ContextStore | undefined {
    return this.host.enricher?.tracker.runtime.store;
  }
}

function seeError(owner: RequestContext) {
  return tap<unknown>({
    error: (error: unknown) => {
      owner.error = error;
    },
  });
}
