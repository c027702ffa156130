/** `nestjs-tracking/express`: request tracking for Express, and for anything that calls middleware like it. */
export type { DecoratedRequest, IncomingRequest } from './express/incoming-request.js';
export type {
  HoldLimits,
  Identity,
  RequestOptions,
  RequestOutcome,
  RequestSource,
  RequestSummary,
} from './express/request-options.js';
export { trackingMiddleware } from './express/tracking-middleware.js';
export type { TrackingMiddleware } from './express/tracking-middleware.js';
