import { ServerResponse } from 'node:http';
import { TrackingError } from '../core/errors.js';
import { Problems } from '../core/options.js';
import { isScopedTracker } from '../core/scoped-tracker.js';
import type { Tracker } from '../core/tracker.js';
import type { IncomingRequest } from './incoming-request.js';
import type { RequestOptions } from './request-options.js';
import { readRequestOptions } from './request-options.js';
import { RequestScope } from './request-scope.js';
import { RequestTracking } from './request-tracking.js';

/** A middleware as Express, Connect and Node's own servers call it. */
export type TrackingMiddleware = (
  request: IncomingRequest,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

const UNAVAILABLE = '{"statusCode":503,"message":"Service Unavailable"}';

/**
 * Opens a scope for each request: everything emitted while it is handled, by whichever tracker, carries the request,
 * its user and its session. Use it before the routes.
 *
 * @throws TrackingError `invalid_options`
 */
export function trackingMiddleware<Events>(
  tracker: Tracker<Events>,
  options?: RequestOptions,
): TrackingMiddleware {
  const problems = new Problems();
  const read = readRequestOptions(options, 'requestOptions', problems);
  problems.throwIfAny('the options of trackingMiddleware are wrong');
  if (!isScopedTracker(tracker)) {
    throw new TrackingError(
      'invalid_options',
      'expected trackingMiddleware to be given a tracker made by createTracker of this version of nestjs-tracking',
    );
  }
  const tracking = new RequestTracking(tracker, read);
  const { store } = tracker.runtime;
  return (request, response, next) => {
    const isOpen = store.scopeOf(request) !== undefined;
    tracking.enter(request, response, () => {
      const scope = store.scopeOf(request);
      if (!isOpen && read.awaitAccepted !== false && scope instanceof RequestScope) {
        deferEnd(scope, response, tracking);
      }
      next();
    });
  };
}

/**
 * Keeps the end of a response back until the events of its request are accepted, or answers 503 in its place. A response
 * whose head was written before its end is on its way: it is left alone.
 */
function deferEnd(scope: RequestScope, response: ServerResponse, tracking: RequestTracking): void {
  const end = response.end.bind(response) as (...args: unknown[]) => ServerResponse;
  let isDeferred = false;
  response.end = ((...args: unknown[]): ServerResponse => {
    if (isDeferred) {
      return response;
    }
    if (response.headersSent) {
      return end(...args);
    }
    isDeferred = true;
    const restoreHead = headOf(response);
    const leave = async (): Promise<void> => {
      const mayLeave = await scope.accepted(response.statusCode);
      response.end = end as typeof response.end;
      if (response.headersSent) {
        end(...args);
      } else if (mayLeave) {
        restoreHead();
        end(...args);
      } else {
        refuse(response);
      }
    };
    // Nobody else is there to catch what Node says of a response that cannot be written.
    leave().catch((error: unknown) => {
      const consequence = 'a response that had waited could not be written; its connection was closed';
      tracking.failed('request.awaitAccepted', consequence, error);
      response.destroy();
    });
    return response;
  }) as typeof response.end;
}

/**
 * What a response said of itself when it was ended. An error thrown after that still finds its head unsent, and error
 * handlers write theirs: a length above all that the body does not have.
 *
 * @returns what puts it back
 */
function headOf(response: ServerResponse): () => void {
  const { statusCode } = response;
  const statusMessage = response instanceof ServerResponse ? response.statusMessage : '';
  const headers = response.getHeaders();
  return () => {
    response.statusCode = statusCode;
    if (response instanceof ServerResponse) {
      response.statusMessage = statusMessage;
    }
    for (const name of response.getHeaderNames()) {
      if (headers[name] === undefined) {
        response.removeHeader(name);
      }
    }
    for (const [name, value] of Object.entries(headers)) {
      // Setting what has not changed would change how the name is written.
      if (value !== undefined && response.getHeader(name) !== value) {
        response.setHeader(name, value);
      }
    }
  };
}

function refuse(response: ServerResponse): void {
  // What the headers say is said of a body that nobody gets.
  for (const name of response.getHeaderNames()) {
    response.removeHeader(name);
  }
  response.statusCode = 503;
  if (response instanceof ServerResponse) {
    // HTTP/2 has none, and throws.
    response.statusMessage = 'Service Unavailable';
  }
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.setHeader('content-length', UNAVAILABLE.length);
  response.setHeader('cache-control', 'no-store');
  response.end(UNAVAILABLE);
}
