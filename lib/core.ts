/** `nestjs-tracking/core`: the kit without a framework. */
export * from './core/tracked-events.js';
export type {
  Backend,
  BackendHost,
  BackendSpec,
  BackendTree,
  RouterSpec,
  TimeBudget,
} from './core/backend.js';
export type { Clock, TimerHandle } from './core/clock.js';
export { ContextStore } from './core/context-store.js';
export { createTracker } from './core/create-tracker.js';
export type { TrackingErrorCode } from './core/errors.js';
export { isTrackingError, TrackingError } from './core/errors.js';
export { eventBytes, eventJson, eventUtf8 } from './core/event.js';
export type { TrackingEvent } from './core/event.js';
export type { EmitOptions } from './core/event-factory.js';
export { nameUuid } from './core/ids.js';
export type { JsonObject, JsonPrimitive, JsonValue } from './core/json.js';
export { DEFAULT_LIMITS } from './core/limits.js';
export type { Limits } from './core/limits.js';
export type { DispatchReport, Outcome } from './core/outcome.js';
export { drop, Dropped, filter, isDropped } from './core/processor.js';
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
export { systemClock } from './core/system-clock.js';
export type {
  ChildOptions,
  EmitArguments,
  EventName,
  EventPayload,
  FlushResult,
  Tracker,
} from './core/tracker.js';
export type { TrackerOptions } from './core/tracker-options.js';
