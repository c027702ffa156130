/** `nestjs-tracking/http`: delivery over HTTP, backlogs in memory, wire formats. */
export type {
  Backlog,
  BacklogHost,
  BacklogMark,
  BacklogStats,
  BatchLimits,
  Lease,
  LeasedEvent,
  LeaseRequest,
  Settlement,
} from './delivery/backlog.js';
export type { ConcurrencyRange } from './delivery/adaptive-concurrency.js';
export type { CircuitState, PauseReason } from './delivery/circuit.js';
export type { DeadLetter, DeadLetterFilter, DeadReason, DeathCause } from './delivery/dead-letter.js';
export type { AttemptFact, DeliveryPlace, SettledFact, StateFact } from './delivery/delivery-facts.js';
export { DELIVERY_CHANNELS } from './delivery/delivery-facts.js';
export type { BatchSettings, RetrySettings } from './delivery/delivery-settings.js';
export { DEFAULT_BATCH, DEFAULT_CONCURRENCY, DEFAULT_RETRY } from './delivery/delivery-settings.js';
export type { Conflict } from './delivery/judgement.js';
export type { LostBatch, OnDeadLetter } from './delivery/lost-events.js';
export { memoryBacklog } from './delivery/memory-backlog.js';
export type { MemoryBacklogOptions, Overflow } from './delivery/memory-backlog-options.js';
export type { DeadLetterBounds } from './delivery/memory-dead-letters.js';
export type {
  BatchInfo,
  DestinationAnswer,
  EncodedBatch,
  Encoder,
  JoinedJson,
  SendError,
  SendResult,
} from './formats/encoder.js';
export type { AtomPresetOptions } from './formats/atom.preset.js';
export type { FormatName } from './formats/encoders.js';
export type { GdqPresetOptions } from './formats/gdq.preset.js';
export type { AtomEncoderOptions } from './formats/atom.encoder.js';
export { atomEncoder } from './formats/atom.encoder.js';
export type { CloudeventsEncoderOptions } from './formats/cloudevents.encoder.js';
export { cloudeventsEncoder } from './formats/cloudevents.encoder.js';
export type { GdqEncoderOptions } from './formats/gdq.encoder.js';
export { gdqEncoder } from './formats/gdq.encoder.js';
export { jsonEncoder } from './formats/json.encoder.js';
export { ndjsonEncoder } from './formats/ndjson.encoder.js';
export type { PaltabrainEncoderOptions } from './formats/paltabrain.encoder.js';
export { paltabrainEncoder } from './formats/paltabrain.encoder.js';
export type { SegmentEncoderOptions } from './formats/segment.encoder.js';
export { segmentEncoder } from './formats/segment.encoder.js';
export type { MetadataKey } from './formats/json-parts.js';
export type { PaltabrainSchema } from './formats/paltabrain.encoder.js';
export type { PaltabrainPresetOptions } from './formats/paltabrain.preset.js';
export type { PaltabrainTelemetry, TelemetrySource } from './formats/paltabrain-telemetry.js';
export { telemetryFrom } from './formats/paltabrain-telemetry.js';
export type { SegmentCall, SegmentHead, SegmentMessage } from './formats/segment-message.js';
export type { AtomBackendOptions } from './http/atom-backend.js';
export { atomBackend } from './http/atom-backend.js';
export type { HttpAuth } from './http/auth.js';
export type { Compression } from './http/compression.js';
export type { GdqBackend, GdqBackendChanges, GdqBackendOptions } from './http/gdq-backend.js';
export { gdqBackend } from './http/gdq-backend.js';
export type { HttpBackend } from './http/http-backend.js';
export { httpBackend } from './http/http-backend.js';
export type { HttpBackendChanges, HttpBackendOptions, TlsOptions } from './http/http-options.js';
export type { PaltabrainBackendOptions } from './http/paltabrain-backend.js';
export { paltabrainBackend } from './http/paltabrain-backend.js';
export type { DeliveryOptions } from './http/preset-backend.js';
