import protobuf from 'protobufjs';
import type { EncodedBatch } from '../../lib/formats/encoder.js';

/** The messages as PaltaBrain describes them; the types of the errors' lists are ours to assume. */
const PROTO = `
syntax = "proto3";
package paltabrain.event_schema.sdk;
message EventCommon {
  sint64 event_ts = 1;
  optional sint64 session_id = 2;
  optional sint64 session_event_seq_num = 3;
}
message Event { EventCommon common = 1; bytes header = 2; bytes payload = 3; }
message BatchCommon {
  string instance_id = 1;
  string batch_id = 2;
  optional string country_code = 3;
  optional string locale = 4;
  optional sint64 utc_offset = 5;
}
message BatchTelemetry {
  optional sint64 events_dropped = 1;
  optional sint64 prev_connection_speed = 2;
  optional sint64 prev_request_time = 3;
  optional sint64 events_reporting_speed = 4;
  repeated string serialization_errors = 5;
  repeated string storage_errors = 6;
  optional sint64 storage_used = 7;
  optional sint64 trigger_type = 8;
  optional sint64 time_since_last_batch = 9;
}
message Batch {
  BatchCommon common = 1;
  bytes context = 2;
  repeated Event events = 3;
  BatchTelemetry telemetry = 4;
}`;

const root = protobuf.parse(PROTO, { keepCase: true }).root;
const Batch = root.lookupType('paltabrain.event_schema.sdk.Batch');

export interface ReadPaltabrainEvent {
  readonly common: {
    readonly event_ts?: number;
    readonly session_id?: number;
    readonly session_event_seq_num?: number;
  };
  readonly header?: Uint8Array;
  readonly payload?: Uint8Array;
}

export interface ReadPaltabrainBatch {
  readonly common: { readonly instance_id: string; readonly batch_id: string };
  readonly context?: Uint8Array;
  readonly events?: readonly ReadPaltabrainEvent[];
  readonly telemetry?: Readonly<Record<string, unknown>>;
}

/** What protobufjs, which is not ours, reads in the bytes; absent fields are left out. */
export function readPaltabrain({ body }: EncodedBatch): ReadPaltabrainBatch {
  return Batch.toObject(Batch.decode(body as Uint8Array), {
    longs: Number,
  }) as ReadPaltabrainBatch;
}

export function textOf(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString();
}
