import type { ServerResponse } from 'node:http';
import type { IncomingRequest } from '../express/incoming-request.js';
import { RequestContext } from '../express/request-context.js';
import type { RequestSource } from '../express/request-options.js';
import type { RequestTracking } from '../express/request-tracking.js';
import type { RouteHandlers } from './route-handlers.js';

type FastifyRequest = RequestSource & { readonly raw: IncomingRequest };
interface FastifyReply {
  readonly raw: ServerResponse;
}
type FastifyHook = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void;

/** The part of Fastify that is needed here. */
export interface Fastify {
  addHook(name: 'onRequest' | 'preValidation', hook: FastifyHook): unknown;
}

/** @param handlers absent where routes do not tell their handlers */
export function openFastifyDoor(
  fastify: Fastify,
  requests: RequestTracking,
  handlers: RouteHandlers | undefined,
): void {
  const { store } = requests.tracker.runtime;
  fastify.addHook('onRequest', (request, reply, done) => {
    const scope = requests.open(request.raw, reply.raw);
    if (scope.owner instanceof RequestContext) {
      // Guards and plugins set `user` and `session` on Fastify's request, not on Node's.
      scope.owner.bottom.source = request;
    }
    store.run(scope, done);
  });
  fastify.addHook('preValidation', (request, reply, done) => {
    const scope = store.scopeOf(request.raw);
    if (scope?.owner instanceof RequestContext) {
      // Fastify knows the route from the start, but middleware comes before it as it does on Express.
      handlers?.reachFastify(scope.owner.bottom, reply);
    }
    // Hooks and body parsers that came between may go on in another context.
    if (scope === undefined || store.current()?.root === scope) {
      done();
    } else {
      store.run(scope, done);
    }
  });
}
