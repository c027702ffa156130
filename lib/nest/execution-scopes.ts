import type { ExecutionContext } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import type { ContextStore } from '../core/context-store.js';
import { Scope } from '../core/scope.js';
import { isRecord } from '../core/options.js';
import type { IncomingRequest } from '../express/incoming-request.js';
import { RequestContext } from '../express/request-context.js';
import type { HandlerFrame } from '../express/request-frames.js';
import type { RequestTracking } from '../express/request-tracking.js';
import { ExecutionOwner } from './execution-owner.js';
import { graphqlContext, graphqlRequest, sourceOf } from './execution-source.js';
import { handlerFrame, reachHandler } from './handler-frame.js';
import { requestScope } from './request-scope.js';

/** The frame of a resolver: several run at once in one request, each in a scope of its own. */
const RESOLVER_FRAME = 'nestjs-tracking:handler';

/**
 * The scopes of Nest's handlers: found, or opened.
 *
 * Invariants
 * - Whoever asks for the same execution again gets the same scope, or the one inside it in which the asking code runs.
 * - A request, a message and an operation of GraphQL have one root scope each; what was active when the server began to
 *   listen is never outside it.
 */
export class ExecutionScopes {
  private readonly store: ContextStore;

  /** @param tracksHandlers whether the scopes show their handlers */
  constructor(
    private readonly requests: RequestTracking,
    private readonly tracksHandlers: boolean,
  ) {
    this.store = requests.tracker.runtime.store;
  }

  scopeOf(execution: ExecutionContext): Scope {
    const kind = execution.getType<string>();
    if (kind === 'http') {
      return this.httpScope(execution);
    }
    const known = this.store.scopeOf(execution);
    if (known !== undefined) {
      return this.inside(known);
    }
    const scope =
      kind === 'graphql'
        ? this.resolverScope(execution)
        : this.messageScope(execution, kind === 'ws' ? 'ws' : 'rpc');
    this.store.link(execution, scope);
    return scope;
  }

  private httpScope(execution: ExecutionContext): Scope {
    const http = execution.switchToHttp();
    const request = http.getRequest<IncomingRequest & { raw?: IncomingRequest }>();
    let scope = requestScope(this.store, request);
    if (scope === undefined) {
      const response = http.getResponse<ServerResponse & { raw?: ServerResponse }>();
      scope = this.requests.open(request.raw ?? request, response.raw ?? response);
      if (scope.owner instanceof RequestContext) {
        scope.owner.bottom.source = request;
      }
    }
    if (this.tracksHandlers) {
      reachHandler(execution, scope);
    }
    return this.inside(scope);
  }

  /** Resolvers of one operation run at the same time: each has a scope of its own, inside the operation's. */
  private resolverScope(execution: ExecutionContext): Scope {
    const scope = Scope.inside(this.operationScope(execution));
    if (this.tracksHandlers) {
      scope.enter(RESOLVER_FRAME, {
        handler: handlerFrame(execution, 'graphql'),
      });
    }
    return scope;
  }

  /** The scope of the HTTP request, else one that the resolvers of an operation find by the context that they share. */
  private operationScope(execution: ExecutionContext): Scope {
    const context = graphqlContext(execution);
    const request = graphqlRequest(execution);
    const known =
      (request && requestScope(this.store, request)) ??
      (isRecord(context) ? this.store.scopeOf(context) : undefined);
    if (known !== undefined) {
      return this.inside(known);
    }
    const current = this.store.current();
    // Without an owner it is only what was active when the server began to listen.
    if (current?.owner !== undefined) {
      return current;
    }
    if (isExpressRequest(request)) {
      return this.requests.open(request, request.res);
    }
    const scope = this.requests.openFor(new ExecutionOwner(this.requests, execution, sourceOf(execution)));
    if (isRecord(context)) {
      this.store.link(context, scope);
    }
    return scope;
  }

  private messageScope(execution: ExecutionContext, kind: HandlerFrame['kind']): Scope {
    const owner = new ExecutionOwner(this.requests, execution, sourceOf(execution));
    if (this.tracksHandlers) {
      owner.bottom.handler = handlerFrame(execution, kind);
    }
    return this.requests.openFor(owner);
  }

  /** Where the running code is in a scope that was opened before, if it is in it. */
  private inside(scope: Scope): Scope {
    const current = this.store.current();
    return current?.root === scope.root ? current : scope;
  }
}

/** Express's request knows its response; what an app makes up for GraphQL's context need not be one. */
function isExpressRequest(request: unknown): request is IncomingRequest & { readonly res: ServerResponse } {
  return (
    isRecord(request) &&
    isRecord(request['headers']) &&
    isRecord(request['res']) &&
    typeof request['res']['once'] === 'function'
  );
}
