import type { ExecutionContext } from '@nestjs/common';
import { Inject, Injectable } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import type { Observable } from 'rxjs';
import { map, tap } from 'rxjs';
import type { ContextStore } from '../core/context-store.js';
import { Scope } from '../core/scope.js';
import { isRecord } from '../core/validation.js';
import type { IncomingRequest } from '../express/incoming-request.js';
import { RequestContext } from '../express/request-context.js';
import type { HandlerFrame } from '../express/request-frames.js';
import type { RequestTracking } from '../express/request-tracking.js';
import { ExecutionOwner } from './execution-owner.js';
import {
  graphqlContext,
  graphqlRequest,
  sourceOf,
} from './execution-source.js';
import { hasOtherTransports } from './other-transports.js';
import { answerWithin, observableWithin } from './scoped-answer.js';
import { TrackingHost } from './tracking-host.js';

/** The frame of a resolver: several run at once in one request, each in a scope of its own. */
const RESOLVER_FRAME = 'nestjs-tracking:handler';

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
    const request: object = execution.switchToHttp().getRequest();
    const owner = this.store()?.scopeOf(request)?.owner;
    if (owner instanceof RequestContext) {
      owner.bottom.handler = handlerFrame(execution, 'http');
      owner.bottom.execution = execution;
    }
  }

  /** Runs a handler in its scope. What it answers is subscribed to, and torn down, inside. */
  within(
    execution: ExecutionContext,
    handle: () => Observable<unknown>,
  ): Observable<unknown> {
    const requests = this.host.enricher?.requests;
    if (requests === undefined) {
      return handle();
    }
    const { store } = requests.tracker.runtime;
    const scope = this.scopeOf(execution, requests);
    const run =
      store.current() === scope
        ? handle()
        : observableWithin(store, scope, handle);
    const answer =
      execution.getType<string>() === 'graphql'
        ? // What a subscription answers is asked for its events from outside.
          run.pipe(map((value) => answerWithin(store, scope, value)))
        : run;
    const { owner } = scope;
    return owner instanceof RequestContext
      ? answer.pipe(seeError(owner))
      : answer;
  }

  private scopeOf(
    execution: ExecutionContext,
    requests: RequestTracking,
  ): Scope {
    const { store } = requests.tracker.runtime;
    const kind = execution.getType<string>();
    if (kind === 'http') {
      return this.httpScope(execution, requests, store);
    }
    const known = store.scopeOf(execution);
    if (known !== undefined) {
      return inside(known, store);
    }
    const scope =
      kind === 'graphql'
        ? this.resolverScope(execution, requests, store)
        : this.messageScope(execution, kind === 'ws' ? 'ws' : 'rpc', requests);
    store.link(execution, scope);
    return scope;
  }

  private httpScope(
    execution: ExecutionContext,
    requests: RequestTracking,
    store: ContextStore,
  ): Scope {
    const http = execution.switchToHttp();
    const request = http.getRequest<
      IncomingRequest & { raw?: IncomingRequest }
    >();
    let scope = store.scopeOf(request);
    if (scope === undefined) {
      const response = http.getResponse<
        ServerResponse & { raw?: ServerResponse }
      >();
      scope = requests.open(request.raw ?? request, response.raw ?? response);
      store.link(request, scope);
      if (scope.owner instanceof RequestContext) {
        scope.owner.bottom.source = request;
      }
    }
    if (this.tracksHandlers) {
      this.reachHandler(execution);
    }
    return inside(scope, store);
  }

  /** Resolvers of one operation run at the same time: each has a scope of its own, inside the operation's. */
  private resolverScope(
    execution: ExecutionContext,
    requests: RequestTracking,
    store: ContextStore,
  ): Scope {
    const scope = Scope.inside(this.operationScope(execution, requests, store));
    if (this.tracksHandlers) {
      scope.enter(RESOLVER_FRAME, {
        handler: handlerFrame(execution, 'graphql'),
      });
    }
    return scope;
  }

  /** The scope of the HTTP request, else one that the resolvers of an operation find by the context that they share. */
  private operationScope(
    execution: ExecutionContext,
    requests: RequestTracking,
    store: ContextStore,
  ): Scope {
    const context = graphqlContext(execution);
    const known = [graphqlRequest(execution), context]
      .filter(isRecord)
      .map((key) => store.scopeOf(key))
      .find((scope) => scope !== undefined);
    if (known !== undefined) {
      return inside(known, store);
    }
    const current = store.current();
    // Without an owner it is only what was active when the server began to listen.
    if (current?.owner !== undefined) {
      return current;
    }
    const scope = requests.openFor(
      new ExecutionOwner(requests, execution, sourceOf(execution)),
    );
    if (isRecord(context)) {
      store.link(context, scope);
    }
    return scope;
  }

  private messageScope(
    execution: ExecutionContext,
    kind: HandlerFrame['kind'],
    requests: RequestTracking,
  ): Scope {
    const owner = new ExecutionOwner(requests, execution, sourceOf(execution));
    if (this.tracksHandlers) {
      owner.bottom.handler = handlerFrame(execution, kind);
    }
    return requests.openFor(owner);
  }

  private store(): ContextStore | undefined {
    return this.host.enricher?.tracker.runtime.store;
  }
}

/** Where the running code is in a scope that was opened before, if it is in it. */
function inside(scope: Scope, store: ContextStore): Scope {
  const current = store.current();
  return current?.root === scope.root ? current : scope;
}

function handlerFrame(
  execution: ExecutionContext,
  kind: HandlerFrame['kind'],
): HandlerFrame & Record<string, string> {
  return {
    kind,
    class: execution.getClass().name,
    method: execution.getHandler().name,
  };
}

function seeError(owner: RequestContext) {
  return tap<unknown>({
    error: (error: unknown) => {
      owner.error = error;
    },
  });
}
