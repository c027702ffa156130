import type { ServerResponse } from 'node:http';
import { TrackingError } from '../core/errors.js';
import { ScopedTracker } from '../core/scoped-tracker.js';
import type { Tracker } from '../core/tracker.js';
import { Problems } from '../core/options.js';
import type { IncomingRequest } from './incoming-request.js';
import type { RequestOptions } from './request-options.js';
import { checkRequestOptions, resolveRequestOptions } from './request-options.js';
import { RequestTracking } from './request-tracking.js';

/** A middleware as Express, Connect and Node's own servers call it. */
export type TrackingMiddleware = (
  request: IncomingRequest,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

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
  checkRequestOptions(options, 'requestOptions', problems);
  problems.throwIfAny('the options of trackingMiddleware are wrong');
  const known: unknown = tracker;
  if (!(known instanceof ScopedTracker)) {
    throw new TrackingError(
      'invalid_options',
      'expected trackingMiddleware to be given a tracker made by createTracker',
    );
  }
  const tracking = new RequestTracking(known, resolveRequestOptions(options));
  return (request, response, next) => {
    tracking.enter(request, response, next);
  };
}
