import { randomUUID } from 'node:crypto';
import type { TrackingEvent } from '../core/event.js';
import { eventDataJson } from '../core/event.js';
import type { JsonObject } from '../core/json.js';
import type { Problems } from '../core/options.js';
import { isRecord } from '../core/options.js';
import { checkedOptions, checkText } from './encoder-options.js';
import type { Encoder } from './encoder.js';
import { freeKey, METADATA_KEY, withMembers } from './json-parts.js';
import { onlyGroup } from './only-group.js';
import { PACKAGE_VERSION } from './package-name.js';
import type { PaltabrainEventMessage } from './paltabrain-batch.js';
import { encodePaltabrainBatch } from './paltabrain-batch.js';
import { SESSION_KEY, SessionNumbers, sessionIdOf, storedNumber } from './paltabrain-sessions.js';
import type { TelemetrySource } from './paltabrain-telemetry.js';

/** How the bytes fields are filled when there is a schema. */
export interface PaltabrainSchema {
  /** @param context what the events of the batch have in common */
  readonly context?: (context: JsonObject) => Uint8Array;
  /** @param rest the event's context without what the batch holds */
  readonly header?: (event: TrackingEvent, rest: JsonObject) => Uint8Array;
  readonly payload?: (event: TrackingEvent) => Uint8Array;
}

export interface PaltabrainEncoderOptions {
  /**
   * The keys of the context that go into the batch's; events that differ in them do not share a batch. The others go
   * into the event's header. Default: all but `request` and `handler`.
   */
  readonly contextKeys?: readonly string[];
  /**
   * Who sends. Each process, and each start of one, needs an id of its own: numbers of sessions begin again at 1.
   * Default: a UUID, new with each encoder.
   */
  readonly instanceId?: string;
  /** Serialisers of a schema; what is missing is JSON. Default: JSON. */
  readonly schema?: PaltabrainSchema;
  /** Asked once per batch. Default: no telemetry. */
  readonly telemetry?: TelemetrySource;
}

const MAX_BYTES = 512 * 1024;
const PER_EVENT: readonly string[] = ['request', 'handler'];
const NOTHING = new Uint8Array();

/**
 * PaltaBrain's protobuf. Without a schema the bytes fields hold JSON: the batch's context, an event's payload, and in
 * its header the rest of its context with `_event: { id, name }`.
 *
 * @throws TrackingError `invalid_options`
 */
export function paltabrainEncoder(options: PaltabrainEncoderOptions = {}): Encoder {
  const {
    contextKeys,
    instanceId = randomUUID(),
    schema = {},
    telemetry = () => undefined,
  } = checkedOptions(
    'paltabrainEncoder',
    options,
    ['contextKeys', 'instanceId', 'schema', 'telemetry'],
    checkPaltabrainOptions,
  );
  const {
    context: contextBytes = jsonBytes,
    header: headerBytes = headerJson,
    payload: payloadBytes = payloadJson,
  } = schema;
  const sessions = new SessionNumbers(instanceId);
  const isShared = sharing(contextKeys);
  const shared = ({ context }: TrackingEvent): JsonObject => only(context, isShared);
  const instanceOf = (event: TrackingEvent): string => storedNumber(event).instanceId ?? instanceId;
  const groupOf = (event: TrackingEvent): string => JSON.stringify([instanceOf(event), shared(event)]);

  const eventMessage = (event: TrackingEvent): PaltabrainEventMessage => {
    const rest = only(event.context, (key) => !isShared(key));
    return {
      timestampMs: Date.parse(event.timestamp),
      sessionId: sessionIdOf(event),
      sequence: storedNumber(event).sequence,
      header: headerBytes(event, rest),
      payload: payloadBytes(event),
    };
  };

  return {
    name: 'paltabrain',
    maxBytes: MAX_BYTES,
    accept: (event) => sessions.number(event),
    takeBack: (events) => {
      sessions.takeBack(events);
    },
    groupBy: groupOf,
    encode: (batch, info) => {
      onlyGroup('context', batch.map(groupOf));
      const [first] = batch;
      return {
        contentType: 'application/protobuf',
        headers: {
          'X-SDK-Name': 'NESTJS_TRACKING',
          'X-SDK-Version': PACKAGE_VERSION,
          'X-SDK-Client-Upload-TS': String(info.now),
        },
        body: encodePaltabrainBatch({
          instanceId: first === undefined ? instanceId : instanceOf(first),
          batchId: info.batchId,
          context: first === undefined ? NOTHING : contextBytes(shared(first)),
          events: batch.map(eventMessage),
          telemetry: telemetry(info),
        }),
      };
    },
  };
}

function sharing(contextKeys: readonly string[] | undefined): (key: string) => boolean {
  if (contextKeys === undefined) {
    return (key) => !PER_EVENT.includes(key);
  }
  const keys = new Set(contextKeys);
  return (key) => keys.has(key);
}

function only(context: JsonObject, isWanted: (key: string) => boolean): JsonObject {
  return Object.fromEntries(Object.entries(context).filter(([key]) => key !== SESSION_KEY && isWanted(key)));
}

function jsonBytes(object: JsonObject): Uint8Array {
  const json = JSON.stringify(object);
  return json === '{}' ? NOTHING : Buffer.from(json);
}

function headerJson({ id, name }: TrackingEvent, rest: JsonObject): Uint8Array {
  const key = JSON.stringify(freeKey(METADATA_KEY, rest));
  return Buffer.from(withMembers(JSON.stringify(rest), `${key}:${JSON.stringify({ id, name })}`));
}

function payloadJson(event: TrackingEvent): Uint8Array {
  return Buffer.from(eventDataJson(event));
}

/** For the options of a backend that hands them on. */
export function checkPaltabrainOptions(given: PaltabrainEncoderOptions, problems: Problems): void {
  const { contextKeys, instanceId, schema, telemetry } = given;
  problems.optional(contextKeys, (keys: unknown) => {
    if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string')) {
      problems.add('contextKeys', 'an array of strings', keys);
    }
  });
  problems.optional(instanceId, (value) => {
    checkText(problems, 'instanceId', value);
  });
  problems.optional(telemetry, (value) => {
    problems.function('telemetry', value);
  });
  problems.optional(schema, (value) => {
    checkSchema(value, problems);
  });
}

function checkSchema(schema: unknown, problems: Problems): void {
  if (!isRecord(schema)) {
    problems.add('schema', 'an object of functions', schema);
    return;
  }
  problems.onlyKeys('schema', schema, ['context', 'header', 'payload']);
  for (const [key, value] of Object.entries(schema)) {
    problems.optional(value, () => {
      problems.function(`schema.${key}`, value);
    });
  }
}
