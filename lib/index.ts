/** `nestjs-tracking`: event tracking for Nest. */
export * from './core.js';
export type {
  HoldLimits,
  Identity,
  RequestOutcome,
  RequestSource,
  RequestSummary,
} from './express/request-options.js';
export { TrackingInterceptor } from './nest/scope.interceptor.js';
export { NoTrack, Track } from './nest/track.decorator.js';
export type { TrackOptions } from './nest/track.decorator.js';
export { TrackingContext } from './nest/tracking-context.decorator.js';
export { TrackingModule } from './nest/tracking.module.js';
export type {
  TrackingExtras,
  TrackingFeatureOptions,
  TrackingModuleOptions,
  TrackingOptionsFactory,
  TrackingRequestOptions,
} from './nest/tracking.options.js';
export { getMetricsToken, getTrackerToken, InjectMetrics, InjectTracker } from './nest/tracking.tokens.js';
export { WithContext } from './nest/with-context.decorator.js';
