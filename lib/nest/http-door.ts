import type { ServerResponse } from 'node:http';
import type { IncomingRequest } from '../express/incoming-request.js';
import { RequestContext } from '../express/request-context.js';
import type { RequestTracking } from '../express/request-tracking.js';
import type { Fastify } from './fastify-door.js';
import { openFastifyDoor } from './fastify-door.js';
import type { RouteHandlers } from './route-handlers.js';

/** The part of Nest's HTTP adapters that is needed here. */
export interface HttpAdapter {
  getType(): string;
  getInstance(): unknown;
  use(...args: unknown[]): unknown;
}

type Middleware = (request: IncomingRequest, response: ServerResponse, next: () => void) => void;

/**
 * Opens a scope for each request, before everything that is done with it. On the adapter itself: a middleware of Nest
 * would cost each request a good part of the whole of what is done here.
 */
export class HttpDoor {
  private opened: HttpAdapter | undefined;
  /** Whether what is mounted on Fastify's adapter comes behind a middleware of ours. */
  private mounted = false;

  /** @param handlers absent where routes do not tell their handlers */
  constructor(
    private readonly requests: RequestTracking,
    private readonly handlers: RouteHandlers | undefined,
  ) {}

  /** While the app is created: in front of body parsers, and of most that `main.ts` mounts. */
  open(adapter: HttpAdapter): void {
    if (isFastify(adapter)) {
      const fastify = adapter.getInstance() as Fastify;
      openFastifyDoor(fastify, this.requests, this.handlers);
      this.awaitMounting(adapter);
    } else {
      const { handlers } = this;
      this.requests.routeMatched =
        handlers &&
        ((frames, route) => {
          handlers.reachExpress(frames, route);
        });
      adapter.use(opening(this.requests));
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
      adapter.use(opening(this.requests));
    }
    if (withMiddleware && isFastify(adapter)) {
      // There it runs before every hook.
      this.mounted = true;
      adapter.use(opening(this.requests));
    }
  }

  /**
   * What an app mounts on Fastify's adapter runs before every hook. The first of it finds ours in front; where there is
   * none, requests do not pay for the engine that runs them.
   */
  private awaitMounting(adapter: HttpAdapter): void {
    const use = adapter.use.bind(adapter);
    adapter.use = (...args) => {
      if (!this.mounted) {
        this.mounted = true;
        use(opening(this.requests));
      }
      return use(...args);
    };
  }

  /** Behind all routes of Nest. */
  close(adapter: HttpAdapter): void {
    if (this.handlers !== undefined && !isFastify(adapter)) {
      adapter.use(leaving(this.requests));
    }
  }
}

function isFastify(adapter: HttpAdapter): boolean {
  return adapter.getType() === 'fastify';
}

function opening(requests: RequestTracking): Middleware {
  return (request, response, next) => {
    requests.enter(request, response, next);
  };
}

/** A request comes here when the routes that it matched did not take it: they are there for other versions. */
function leaving(requests: RequestTracking): Middleware {
  const { store } = requests.tracker.runtime;
  return (request, _response, next) => {
    const owner = store.scopeOf(request)?.owner;
    if (owner instanceof RequestContext) {
      owner.bottom.notTaken();
    }
    next();
  };
}
