import { randomUUID } from 'node:crypto';
import { createTracker, eventJson, eventUtf8 } from '../../../dist/core.js';
import * as peers from '../peers.mjs';
import { context, event, inner, NAME, outer, payload } from '../sample.mjs';

/*
 * Each contender answers `{ emit(i), flush?(), inside? }`: `emit` records one event, `flush` does what it left for
 * later, `inside` runs a round in the contexts that it needs. Nothing goes over a network: transports are functions
 * that take the finished body. `checking` is set when somebody wants to see that body.
 */

/** What no contender may leave out: the result of its work is looked at. */
let seen = '';
const look = (value) => {
  seen = value;
};
export const lastSeen = () => Buffer.from(seen).toString();

const noop = { send: () => undefined };
const text = { send: (e) => look(eventJson(e)) };
const utf8 = { send: (e) => look(eventUtf8(e)) };

function ours(backends) {
  return createTracker({
    backends,
    onError: (report) => {
      throw new Error(report.message);
    },
  });
}

/** The contexts are entered once per round. */
function nested(backends) {
  const tracker = ours(backends);
  return {
    emit: (i) => {
      payload.amount = i;
      tracker.emit(NAME, payload);
    },
    inside: (round) => tracker.context('request', outer, () => tracker.context('user', inner, round)),
  };
}

/** @param user who it is, in the round's i-th event */
function anew(user, checking) {
  const tracker = ours({ only: checking ? text : noop });
  return {
    emit: (i) => {
      payload.amount = i;
      tracker.context('request', outer, () =>
        tracker.context('user', { ...inner, user: { id: user(i) } }, () => tracker.emit(NAME, payload)),
      );
    },
  };
}

function stringify() {
  return {
    emit: (i) => {
      payload.amount = i;
      look(JSON.stringify(event));
    },
  };
}

function stringifyUtf8() {
  return {
    emit: (i) => {
      payload.amount = i;
      look(Buffer.from(JSON.stringify(event)));
    },
  };
}

function parts() {
  const tail = `,"context":${JSON.stringify(context)}}`;
  let ms = 0;
  let iso = '';
  return {
    emit: (i) => {
      payload.amount = i;
      const now = Date.now();
      if (now !== ms) {
        ms = now;
        iso = new Date(now).toISOString();
      }
      look(
        `{"id":"${randomUUID()}","name":"${NAME}","timestamp":"${iso}","data":${JSON.stringify(payload)}${tail}`,
      );
    },
  };
}

async function pino(checking) {
  const { default: create } = await import('pino');
  const destination = checking ? { write: look } : create.destination({ dest: '/dev/null', sync: true });
  const logger = create({}, destination).child(context);
  return {
    emit: (i) => {
      payload.amount = i;
      logger.info({ id: randomUUID(), data: payload }, NAME);
    },
  };
}

async function openTelemetry() {
  const { JsonLogsSerializer } = await import('@opentelemetry/otlp-transformer');
  const exporter = {
    export: (records, done) => {
      look(JsonLogsSerializer.serializeRequest(records));
      done({ code: 0 });
    },
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  };
  return peers.openTelemetry(exporter, {
    maxQueueSize: 4096,
    maxExportBatchSize: 512,
  });
}

const posthog = () =>
  peers.posthog({
    host: 'http://127.0.0.1:9',
    flushAt: 100,
    flushInterval: 60_000,
    fetch: async (_url, { body }) => {
      look(body);
      return { status: 200, text: async () => '{}', json: async () => ({}) };
    },
  });

const segment = () =>
  peers.segment({
    flushAt: 100,
    flushInterval: 60_000,
    httpClient: async (_url, { body }) => {
      look(body);
      return { status: 200, statusText: 'OK' };
    },
  });

const amplitude = () =>
  peers.amplitude({
    flushQueueSize: 100,
    flushIntervalMillis: 1,
    transportProvider: {
      send: async (_url, body) => {
        look(JSON.stringify(body));
        return {
          status: 'success',
          statusCode: 200,
          body: { eventsIngested: 0, payloadSizeBytes: 0, serverUploadTime: 0 },
        };
      },
    },
  });

/** In the order of the table; the first is the measure of the others. */
export const CONTENDERS = {
  'JSON.stringify of the whole event': stringify,
  '…, and its UTF-8': stringifyUtf8,
  'floor: JSON put together from parts': parts,
  '**emit** in two nested contexts': (checking) => nested({ only: checking ? text : noop }),
  '**emit**, and the backend takes the UTF-8': () => nested({ utf8 }),
  '**emit** through three nested routers': (checking) =>
    nested({
      a: {
        backends: {
          b: {
            backends: { c: { backends: { only: checking ? text : noop } } },
          },
        },
      },
    }),
  '**emit**, both contexts entered anew': (checking) => anew(() => 'u_1', checking),
  '**emit**, both entered anew, another user each time': (checking) => anew((i) => `u_${i}`, checking),
  'pino to /dev/null': pino,
  'OpenTelemetry logs, batched, OTLP JSON': openTelemetry,
  Amplitude: amplitude,
  'posthog-node': posthog,
  Segment: segment,
};
