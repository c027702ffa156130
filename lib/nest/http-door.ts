import type { ServerResponse } from 'node:http';
import type { IncomingRequest } from '../express/incoming-request.js';
import { RequestContext } from '../express/request-context.js';
import type { RequestSource } from '../express/request-options.js';
import type { RequestTracking } from '../express/request-tracking.js';

/** The part of Nest's HTTP adapters that is needed here. */
export interface HttpAdapter {
  getType(): string;
  getInstance(): unknown;
  use(...args: unknown[]): unknown;
}

type FastifyRequest = RequestSource & { readonly raw: IncomingRequest };
interface FastifyReply {
  readonly raw: ServerResponse;
}
type FastifyHook = (
  request: FastifyRequest,
  reply: FastifyReply,
  done: () => void,
) => void;
interface Fastify {
  addHook(name: 'onRequest' | 'preValidation', hook: FastifyHook): unknown;
}

/**
 * Opens a scope for each request, before everything that Nest does with it. On the adapter itself: a middleware of
 * Nest would cost each request a good part of the whole of what is done here.
 *
 * @param withMiddleware whether modules of the app have middleware of their own
 */
export function openHttpDoor(
  adapter: HttpAdapter,
  requests: RequestTracking,
  withMiddleware: boolean,
): void {
  if (adapter.getType() !== 'fastify') {
    adapter.use(middleware(requests));
    return;
  }
  if (withMiddleware) {
    // On Fastify, Nest's middleware runs before our hook does: this one goes in front of it.
    adapter.use(middleware(requests));
  }
  openFastifyDoor(adapter.getInstance() as Fastify, requests);
}

function middleware(requests: RequestTracking) {
  const { store } = requests.tracker.runtime;
  return (
    request: IncomingRequest,
    response: ServerResponse,
    next: () => void,
  ): void => {
    store.run(requests.open(request, response), next);
  };
}

function openFastifyDoor(fastify: Fastify, requests: RequestTracking): void {
  const { store } = requests.tracker.runtime;
  fastify.addHook('onRequest', (request, reply, done) => {
    const scope = requests.open(request.raw, reply.raw);
    store.link(request, scope);
    if (scope.owner instanceof RequestContext) {
      // Guards and plugins set `user` and `session` on Fastify's request, not on Node's.
      scope.owner.bottom.source = request;
    }
    store.run(scope, done);
  });
  // Reading a body ends in the context of the socket, not of the request.
  fastify.addHook('preValidation', (request, _reply, done) => {
    const scope = store.scopeOf(request);
    if (scope === undefined || store.current()?.root === scope) {
      done();
    } else {
      store.run(scope, done);
    }
  });
}
