import type { ServerResponse } from 'node:http';
import type { IncomingRequest } from '../express/incoming-request.js';
import type { RequestSource } from '../express/request-options.js';
import { RequestScope } from '../express/request-scope.js';
import type { RequestTracking } from '../express/request-tracking.js';

/** The part of Nest's HTTP adapters that is needed here (`AbstractHttpAdapter`). */
export interface HttpAdapter {
  getInstance(): unknown;
  use(...args: unknown[]): unknown;
}

type FastifyRequest = RequestSource & { readonly raw: IncomingRequest };
type FastifyHook = (
  request: FastifyRequest,
  reply: { readonly raw: ServerResponse },
  done: () => void,
) => void;

/** The part of Fastify that is needed here. */
interface Fastify {
  addHook(name: 'onRequest' | 'preValidation', hook: FastifyHook): unknown;
}

/**
 * Opens a scope for each request, in front of everything that the app mounts. On the adapter itself: a middleware of a Nest
 * module would come behind all that `main.ts` mounts, body parsers included.
 */
export function mountFirst(adapter: HttpAdapter, requests: RequestTracking): void {
  adapter.use(opening(requests));
  const instance = adapter.getInstance();
  if (isFastify(instance)) {
    registerFastifyHooks(instance, requests);
  }
}

/**
 * Enters it again, in front of the middleware of Nest's modules: what came between may go on in another context, as a
 * session store does that calls back in that of its own socket.
 */
export function mountAgain(adapter: HttpAdapter, requests: RequestTracking): void {
  adapter.use(opening(requests));
}

function opening(requests: RequestTracking) {
  return (request: IncomingRequest, response: ServerResponse, next: () => void): void => {
    requests.enter(request, response, next);
  };
}

function isFastify(instance: unknown): instance is Fastify {
  return typeof (instance as Partial<Fastify> | null)?.addHook === 'function';
}

function registerFastifyHooks(fastify: Fastify, requests: RequestTracking): void {
  const { store } = requests.tracker.runtime;
  fastify.addHook('onRequest', (request, reply, done) => {
    const scope = requests.open(request.raw, reply.raw);
    if (scope instanceof RequestScope) {
      // Guards and plugins set `user` and `session` on Fastify's request, not on Node's.
      scope.setSource(request);
    }
    requests.enter(request.raw, reply.raw, done);
  });
  fastify.addHook('preValidation', (request, reply, done) => {
    // Fastify's body parsers go on in the context of the socket.
    if (store.scopeOf(request.raw) === undefined) {
      done();
    } else {
      requests.enter(request.raw, reply.raw, done);
    }
  });
}
