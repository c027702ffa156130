/** `nestjs-tracking`: event tracking for Nest. */
export * from './core/tracked-events.js';
export type {
  Backend,
  BackendHost,
  BackendSpec,
  BackendTree,
  RouterSpec,
  TimeBudget,
} from './core/backend.js';
export { isTrackingError, TrackingError } from './core/errors.js';
export type { TrackingErrorCode } from './core/errors.js';
export type { TrackingEvent } from './core/event.js';
export type { EmitOptions } from './core/event-factory.js';
export type { JsonObject, JsonPrimitive, JsonValue } from './core/json.js';
export type { Limits } from './core/limits.js';
export type { DispatchReport, Outcome } from './core/outcome.js';
export { drop, filter, isDropped } from './core/processor.js';
export type {
  DropReason,
  MaybePromise,
  Processor,
  ProcessorObject,
  ProcessorResult,
  ProcessorSpec,
  Type,
} from './core/processor.js';
export type { OnError, ReportCode, TrackingReport } from './core/report.js';
export type { BackendStats, ReasonCounts, TrackerStats } from './core/stats.js';
export type {
  ChildOptions,
  EmitArguments,
  EventName,
  EventPayload,
  FlushResult,
  Tracker,
} from './core/tracker.js';
export type {
  HoldLimits,
  Identity,
  RequestOutcome,
  RequestSource,
  RequestSummary,
} from './express/request-options.js';
export { NoTrack, Track } from './nest/track.decorator.js';
export type { TrackOptions } from './nest/track.metadata.js';
export { getTrackerToken, InjectTracker } from './nest/tracker.tokens.js';
export { TrackingContext } from './nest/tracking-context.decorator.js';
export { TrackingInterceptor } from './nest/tracking.interceptor.js';
export { TrackingModule } from './nest/tracking.module.js';
export type {
  TrackingExtras,
  TrackingFeatureOptions,
  TrackingModuleOptions,
  TrackingOptionsFactory,
  TrackingRequestOptions,
} from './nest/tracking.options.js';
export { WithContext } from './nest/with-context.decorator.js';
