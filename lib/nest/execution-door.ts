import type { ExecutionContext } from '@nestjs/common';
import { Inject, Injectable } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { Observable, tap } from 'rxjs';
import type { ContextStore } from '../core/context-store.js';
import { Scope } from '../core/scope.js';
import type { IncomingRequest } from '../express/incoming-request.js';
import { RequestContext } from '../express/request-context.js';
import type { HandlerFrame } from '../express/request-frames.js';
import type { RequestTracking } from '../express/request-tracking.js';
import { ExecutionOwner } from './execution-owner.js';
import { graphqlRequest, sourceOf } from './execution-source.js';
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

  /** Whether there are handlers that only an interceptor reaches, or of which more must be known than a guard sees. */
  get needsInterceptor(): boolean {
    const { enricher } = this.host;
    return (
      enricher !== undefined &&
      (!enricher.extras.middleware ||
        (enricher.extras.interceptor &&
          (!this.host.servesHttp() ||
            enricher.requests.options.hold !== undefined ||
            this.hasGraphql())))
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
    const { owner } = scope;
    const run =
      store.current() === scope
        ? handle()
        : new Observable((subscriber) =>
            store.run(scope, () => handle().subscribe(subscriber)),
          );
    return owner instanceof RequestContext ? run.pipe(seeError(owner)) : run;
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
    const current = store.current();
    if (
      current?.owner instanceof ExecutionOwner &&
      current.owner.execution === execution
    ) {
      return current;
    }
    if (kind === 'graphql') {
      return this.resolverScope(execution, requests, store);
    }
    return this.newScope(execution, kind === 'ws' ? 'ws' : 'rpc', requests);
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
    const current = store.current();
    return current?.root === scope ? current : scope;
  }

  private resolverScope(
    execution: ExecutionContext,
    requests: RequestTracking,
    store: ContextStore,
  ): Scope {
    const request = graphqlRequest(execution);
    const outer =
      store.current() ??
      (request === undefined ? undefined : store.scopeOf(request));
    if (outer === undefined) {
      return this.newScope(execution, 'graphql', requests);
    }
    const scope = new Scope(outer);
    if (this.tracksHandlers) {
      scope.enter(RESOLVER_FRAME, {
        handler: handlerFrame(execution, 'graphql'),
      });
    }
    return scope;
  }

  private newScope(
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

  private hasGraphql(): boolean {
    return [...this.host.modules.values()].some(
      ({ metatype }) => metatype.name === 'GraphQLModule',
    );
  }
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
