import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { HttpException, Inject, Injectable, ServiceUnavailableException } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import type { Observable } from 'rxjs';
import { catchError, concat, defer, finalize, ignoreElements, map, tap } from 'rxjs';
import { Frame } from '../core/merged-context.js';
import { isRecord } from '../core/options.js';
import { Scope } from '../core/scope.js';
import type { IncomingRequest } from '../express/incoming-request.js';
import type { RequestSource } from '../express/request-options.js';
import type { HandlerFrame } from '../express/request-scope.js';
import { RequestScope } from '../express/request-scope.js';
import type { RequestTracking } from '../express/request-tracking.js';
import { bindObservable, bindToScope } from './bind-to-scope.js';
import { TrackingHost } from './tracking-host.js';

/** The name of a resolver's frame: several run at once in one request, each in a scope of its own. */
const RESOLVER_FRAME = 'nestjs-tracking:handler';
const NO_SOURCE: RequestSource = Object.freeze({});
/** What a handler may have said of a body that a 503 takes the place of. */
const BODY_HEADERS: readonly string[] = Object.freeze([
  ...['content-disposition', 'content-encoding', 'content-language', 'content-length', 'content-range'],
  ...['cache-control', 'etag', 'expires', 'last-modified', 'location'],
]);

/** The part of Express's response and of Fastify's reply, which has Node's own below, that is needed here. */
interface HttpResponse extends Pick<ServerResponse, 'statusCode' | 'headersSent' | 'removeHeader'> {
  readonly raw?: Pick<ServerResponse, 'headersSent'>;
}

/**
 * Runs handlers in their scope, on every transport, and tells it the handler. It is there by itself wherever Nest takes an
 * app's global interceptors; `@UseInterceptors(TrackingInterceptor)` is for where it does not: gateways on Nest 11, and
 * message handlers that are connected without `inheritAppConfig`.
 *
 * Invariants
 * - The same execution again gets the same scope, or the one inside it in which the asking code runs.
 * - A request, a message and an operation of GraphQL have one root scope each; what was active when the server began to
 *   listen is never outside it.
 */
@Injectable()
export class TrackingInterceptor implements NestInterceptor {
  constructor(@Inject(TrackingHost) private readonly host: TrackingHost) {}

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    return this.within(execution, () => next.handle());
  }

  /** Runs a handler in its scope. What it returns is subscribed to, and torn down, inside. */
  within(execution: ExecutionContext, handle: () => Observable<unknown>): Observable<unknown> {
    const instance = this.host.requestInstance;
    if (instance === undefined) {
      return handle();
    }
    const { requests } = instance;
    const { store } = requests.tracker.runtime;
    const isKnown = store.scopeOf(execution) !== undefined;
    const scope = this.scopeOf(execution, requests, instance.extras.interceptor);
    const run = store.current() === scope ? handle() : bindObservable(store, scope, handle);
    if (isKnown) {
      return run;
    }
    switch (execution.getType<string>()) {
      case 'http':
        return scope.root instanceof RequestScope ? followHandler(run, scope.root, execution, requests) : run;
      case 'graphql':
        // What a subscription returns is asked for its events from outside.
        return seenBy(scope.root, run.pipe(map((value) => bindToScope(store, scope, value))));
      default:
        return run.pipe(
          finalize(() => {
            if (scope.root instanceof RequestScope) {
              scope.root.release();
            }
          }),
        );
    }
  }

  private scopeOf(execution: ExecutionContext, requests: RequestTracking, withHandler: boolean): Scope {
    const { store } = requests.tracker.runtime;
    const kind = execution.getType<string>();
    const known = store.scopeOf(execution);
    if (known !== undefined) {
      return inside(requests, known);
    }
    const scope =
      kind === 'http'
        ? inside(requests, httpScope(execution, requests, withHandler))
        : kind === 'graphql'
          ? resolverScope(execution, requests, withHandler)
          : messageScope(execution, requests, withHandler, kind === 'ws' ? 'ws' : 'rpc');
    store.link(execution, scope);
    return scope;
  }
}

/** Whoever reads how a request ended wants to know what its handler threw; and its response may have to wait. */
function followHandler(
  run: Observable<unknown>,
  scope: RequestScope,
  execution: ExecutionContext,
  { options }: RequestTracking,
): Observable<unknown> {
  const { hold, onEnd, awaitAccepted } = options;
  if (hold === undefined && onEnd === undefined && awaitAccepted === false) {
    return run;
  }
  const seen = seenBy(scope, run);
  if (awaitAccepted === false) {
    return seen;
  }
  const response = execution.switchToHttp().getResponse<HttpResponse>();
  const wait = async (status: number): Promise<void> => {
    // What is on its way cannot be held back: event streams, and what a handler writes itself.
    if ((response.raw ?? response).headersSent || (await scope.accepted(status))) {
      return;
    }
    for (const name of BODY_HEADERS) {
      response.removeHeader(name);
    }
    throw new ServiceUnavailableException('Service Unavailable', { errorCode: 'TRACKING_NOT_ACCEPTED' });
  };
  return concat(
    seen.pipe(
      catchError((error: unknown) =>
        defer(async () => {
          await wait(error instanceof HttpException ? error.getStatus() : 500);
          throw error;
        }),
      ),
    ),
    defer(() => wait(response.statusCode)).pipe(ignoreElements()),
  );
}

/** What a handler throws is part of how its request ended. */
function seenBy(scope: Scope, run: Observable<unknown>): Observable<unknown> {
  return run.pipe(
    tap({
      error: (error: unknown) => {
        if (scope instanceof RequestScope) {
          scope.error = error;
        }
      },
    }),
  );
}

function httpScope(execution: ExecutionContext, requests: RequestTracking, withHandler: boolean): Scope {
  const { store } = requests.tracker.runtime;
  const http = execution.switchToHttp();
  const request = http.getRequest<RequestSource & IncomingRequest & { raw?: IncomingRequest }>();
  let scope = scopeOfRequest(requests, request);
  if (scope === undefined) {
    const response = http.getResponse<ServerResponse & { raw?: ServerResponse }>();
    scope = requests.open(request.raw ?? request, response.raw ?? response);
    store.link(request, scope);
    if (scope instanceof RequestScope) {
      scope.setSource(request);
    }
  }
  if (withHandler && scope instanceof RequestScope) {
    scope.setHandler(handlerFrame(execution, 'http'), execution);
  }
  return scope;
}

/** Resolvers of one operation run at the same time: each has a scope of its own, inside the operation's. */
function resolverScope(execution: ExecutionContext, requests: RequestTracking, withHandler: boolean): Scope {
  const operation = operationScope(execution, requests);
  if (!withHandler) {
    return Scope.inside(operation);
  }
  const frame = { handler: handlerFrame(execution, 'graphql') };
  return Scope.inside(operation, RESOLVER_FRAME, new Frame(JSON.stringify(frame), frame));
}

/** The scope of the HTTP request, else one that the resolvers of an operation find by the context that they share. */
function operationScope(execution: ExecutionContext, requests: RequestTracking): Scope {
  const { store } = requests.tracker.runtime;
  const context = graphqlContext(execution);
  const request = graphqlRequest(context);
  const known =
    (request && scopeOfRequest(requests, request)) ??
    (isRecord(context) ? store.scopeOf(context) : undefined);
  if (known !== undefined) {
    return inside(requests, known);
  }
  const current = store.current();
  // Otherwise it is only what was active when the server began to listen.
  if (current?.root instanceof RequestScope) {
    return current;
  }
  if (isExpressRequest(request)) {
    return requests.open(request, request.res);
  }
  const scope = requests.openMessage(request ?? asSource(context));
  scope.setHandler(undefined, execution);
  if (isRecord(context)) {
    store.link(context, scope);
  }
  return scope;
}

function messageScope(
  execution: ExecutionContext,
  requests: RequestTracking,
  withHandler: boolean,
  kind: 'ws' | 'rpc',
): Scope {
  const source =
    kind === 'ws'
      ? execution.switchToWs().getClient<unknown>()
      : execution.switchToRpc().getContext<unknown>();
  const scope = requests.openMessage(asSource(source));
  scope.setHandler(withHandler ? handlerFrame(execution, kind) : undefined, execution);
  return scope;
}

/** Where the running code is in a scope that was opened before, if it is in it. */
function inside(requests: RequestTracking, scope: Scope): Scope {
  const current = requests.tracker.runtime.store.current();
  return current?.root === scope.root ? current : scope;
}

function handlerFrame(
  execution: ExecutionContext,
  kind: HandlerFrame['kind'],
): HandlerFrame & Record<string, string> {
  const type = execution.getClass();
  return { kind, class: type.name, method: methodName(type.prototype as object, execution.getHandler()) };
}

/** The name under which the class has it: a decorator that wraps it may have given it another. */
function methodName(prototype: object | null, handler: { readonly name: string }): string {
  for (let place = prototype; place !== null; place = Object.getPrototypeOf(place) as object | null) {
    const known = Object.getOwnPropertyDescriptor(place, handler.name)?.value as unknown;
    const name =
      known === handler
        ? handler.name
        : Object.getOwnPropertyNames(place).find(
            (key) => Object.getOwnPropertyDescriptor(place, key)?.value === handler,
          );
    if (name !== undefined) {
      return name;
    }
  }
  return handler.name;
}

/** It is remembered by Node's own request: Fastify's has it below. */
function scopeOfRequest(requests: RequestTracking, request: { readonly raw?: unknown }): Scope | undefined {
  const { store } = requests.tracker.runtime;
  return store.scopeOf(request) ?? (isRecord(request.raw) ? store.scopeOf(request.raw) : undefined);
}

/** The HTTP request behind a GraphQL operation: where Apollo, Mercurius and graphql-ws put it. */
function graphqlRequest(context: unknown): RequestSource | undefined {
  if (!isRecord(context)) {
    return undefined;
  }
  const { req, reply, extra } = context;
  const request =
    req ??
    (isRecord(reply) ? reply['request'] : undefined) ??
    (isRecord(extra) ? extra['request'] : undefined);
  return isRecord(request) ? request : undefined;
}

/** The third argument of every resolver: (parent, args, context, info). */
function graphqlContext(execution: ExecutionContext): unknown {
  return execution.getArgByIndex<unknown>(2);
}

function asSource(value: unknown): RequestSource {
  return isRecord(value) ? value : NO_SOURCE;
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
