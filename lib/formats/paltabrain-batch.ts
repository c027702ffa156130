import type { PaltabrainTelemetry } from './paltabrain-telemetry.js';
import { ProtobufWriter } from './protobuf-writer.js';

/*
 * PaltaBrain's messages. In proto3, a field without `optional` that holds its default is not written; messages are
 * written even when they are empty.
 */

export interface PaltabrainEventMessage {
  readonly timestampMs: number;
  readonly sessionId?: number | undefined;
  /** 1, 2, … within a session. */
  readonly sequence?: number | undefined;
  readonly header: Uint8Array;
  readonly payload: Uint8Array;
}

export interface PaltabrainBatchMessage {
  readonly instanceId: string;
  readonly batchId: string;
  readonly context: Uint8Array;
  readonly events: readonly PaltabrainEventMessage[];
  readonly telemetry?: PaltabrainTelemetry | undefined;
}

export function encodePaltabrainBatch(batch: PaltabrainBatchMessage): Uint8Array {
  const common = new ProtobufWriter();
  common.string(1, batch.instanceId).string(2, batch.batchId);
  const writer = new ProtobufWriter();
  writer.message(1, common);
  unlessEmpty(writer, 2, batch.context);
  for (const event of batch.events) {
    writer.message(3, eventMessage(event));
  }
  if (batch.telemetry !== undefined) {
    writer.message(4, telemetryMessage(batch.telemetry));
  }
  return writer.finish();
}

function eventMessage(event: PaltabrainEventMessage): ProtobufWriter {
  const common = new ProtobufWriter();
  if (event.timestampMs !== 0) {
    common.sint64(1, event.timestampMs);
  }
  ifKnown(common, 2, event.sessionId);
  ifKnown(common, 3, event.sequence);
  const writer = new ProtobufWriter().message(1, common);
  unlessEmpty(writer, 2, event.header);
  unlessEmpty(writer, 3, event.payload);
  return writer;
}

function telemetryMessage(telemetry: PaltabrainTelemetry): ProtobufWriter {
  const writer = new ProtobufWriter();
  ifKnown(writer, 1, telemetry.eventsDropped);
  ifKnown(writer, 2, telemetry.prevConnectionSpeed);
  ifKnown(writer, 3, telemetry.prevRequestTime);
  ifKnown(writer, 4, telemetry.eventsReportingSpeed);
  for (const error of telemetry.serializationErrors ?? []) {
    writer.string(5, error);
  }
  for (const error of telemetry.storageErrors ?? []) {
    writer.string(6, error);
  }
  ifKnown(writer, 7, telemetry.storageUsed);
  ifKnown(writer, 8, telemetry.triggerType);
  ifKnown(writer, 9, telemetry.timeSinceLastBatch);
  return writer;
}

function ifKnown(writer: ProtobufWriter, field: number, value: number | undefined): void {
  if (value !== undefined && Number.isFinite(value)) {
    writer.sint64(field, Math.round(value));
  }
}

function unlessEmpty(writer: ProtobufWriter, field: number, bytes: Uint8Array): void {
  if (bytes.length > 0) {
    writer.bytes(field, bytes);
  }
}
