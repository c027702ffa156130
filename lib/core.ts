/** `nestjs-tracking/core`: the kit without a framework. */
export * from './core/tracked-events.js';
export { loggerBackend } from './backends/logger-backend.js';
export type { LineLogger, LoggerBackendOptions, LogLevel } from './backends/logger-backend.js';
export type {
  Backend,
  BackendHost,
  BackendSpec,
  BackendTree,
  RouterSpec,
  SendOptions,
  TimeBudget,
} from './core/backend.js';
export type { EventCatalogue, EventDefinition, EventsOf, ValidationResult } from './core/catalogue.js';
export type { Clock, TimerHandle } from './core/clock.js';
export { ContextStore } from './core/context-store.js';
export { createTracker } from './core/create-tracker.js';
export type { TrackingErrorCode } from './core/errors.js';
export { isTrackingError, TrackingError } from './core/errors.js';
export { eventBytes, eventJson, eventUtf8 } from './core/event.js';
export type { TrackingEvent } from './core/event.js';
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
export { createMetrics } from './metrics/create-metrics.js';
export { memoryMetricsStore } from './metrics/memory-metrics-store.js';
export { Metrics } from './metrics/metrics.js';
export type {
  CounterKey,
  DateInput,
  DateRange,
  Granularity,
  IncrementOptions,
  Names,
  RecordedFacts,
  SeriesOptions,
  SeriesPoint,
  SetOptions,
  UniqueOptions,
} from './metrics/metrics.js';
export { metricsBackend } from './metrics/metrics-backend.js';
export type { MetricsBackendOptions } from './metrics/metrics-backend-options.js';
export type { MetricsOptions } from './metrics/metrics-options.js';
export type {
  Block,
  Change,
  Counter,
  DaySetting,
  FactsKey,
  FactsRecord,
  KeepDays,
  MembersOfDay,
  MetricsStore,
  Span,
  StoredFacts,
  UniqueKey,
  WriteId,
  WriteOptions,
} from './metrics/metrics-store.js';
export type { FromEvent, MetricsRule, RuleName } from './metrics/metrics-rule.js';
export { systemClock } from './core/system-clock.js';
export { Tracker } from './core/tracker.js';
export type { ChildOptions, FlushResult } from './core/tracker.js';
export type { TrackerOptions } from './core/create-tracker.js';
export { override, rename, stripNulls } from './processors/change.js';
export type { NameOf, Overrides, StripNullsOptions } from './processors/change.js';
export { allow, block, consent, match } from './processors/filters.js';
export type { ConsentCheck, MatchPatterns, ValuePattern } from './processors/filters.js';
export type { NamePattern } from './core/patterns.js';
export { redact } from './processors/redact.js';
export type { RedactAction, RedactOptions } from './processors/redact.js';
export { sample } from './processors/sample.js';
export type { SampleKey, SampleOptions } from './processors/sample.js';
export { createTransformerRegistry, transform } from './processors/transform.js';
export type { Transformer, TransformerRegistry } from './processors/transform.js';
export { validate } from './processors/validate.js';
export type { InvalidEvent, ValidateOptions } from './processors/validate.js';
export { defineEvents, event } from './schema/define-events.js';
export type { EventDefinitions, TypedEvent } from './schema/define-events.js';
