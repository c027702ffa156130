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
 * Opens a scope for each request, before everything that is done with it. On the adapter itself: a middleware of Nest
 * would cost each request a good part of the whole of what is done here.
 */
export class HttpDoor {
  private opened: HttpAdapter | undefined;

  constructor(private readonly requests: RequestTracking) {}

  /** While the app is created: in front of body parsers, and of most that `main.ts` mounts. */
  open(adapter: HttpAdapter): void {
    if (isFastify(adapter)) {
      openFastifyDoor(adapter.getInstance() as Fastify, this.requests);
    } else {
      adapter.use(middleware(this.requests));
    }
    this.opened = adapter;
  }

  /**
   * While the app is initialised: in front of the middleware of Nest's modules.
   *
   * @param withMiddleware whether there is any
   */
  reopen(adapter: HttpAdapter, withMiddleware: boolean): void {
    // Nest's testing module knows its adapter only now.
    if (this.opened !== adapter) {
      this.open(adapter);
    } else if (!isFastify(adapter)) {
      // What came between may go on in another context: a session store calls back in that of its own socket.
      adapter.use(middleware(this.requests));
    }
    if (withMiddleware && isFastify(adapter)) {
      // There it runs before every hook.
      adapter.use(middleware(this.requests));
    }
  }
}

function isFastify(adapter: HttpAdapter): boolean {
  return adapter.getType() === 'fastify';
}

function middleware(requests: RequestTracking) {
  const { store } = requests.tracker.runtime;
  return (
    request: IncomingRequest,
    response: ServerResponse,
    next: () => void,
  ): void => {
    const scope = requests.open(request, response);
    if (store.current()?.root === scope) {
      next();
    } else {
      store.run(scope, next);
    }
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
  // Hooks and body parsers that came between may go on in another context.
  fastify.addHook('preValidation', (request, _reply, done) => {
    const scope = store.scopeOf(request);
    if (scope === undefined || store.current()?.root === scope) {
      done();
    } else {
      store.run(scope, done);
    }
  });
}
