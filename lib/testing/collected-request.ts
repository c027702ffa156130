import type { IncomingMessage } from 'node:http';
import type { TrackingEvent } from '../core/event.js';
import { isRecord } from '../core/options.js';
import type { DecodedBody } from './decoded-body.js';

/** One request that a collector received in full. */
export interface CollectedRequest {
  readonly method: string;
  /** With the query string, as the client wrote it. */
  readonly path: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Decompressed, as UTF-8; empty when there is a `problem`. */
  readonly body: string;
  /** Decompressed. */
  readonly bytes: Uint8Array;
  /** The tracking events in a body that is JSON (one event, or a list) or lines of JSON; of other bodies none. */
  readonly events: readonly TrackingEvent[];
  /** When its last byte came, in epoch milliseconds of the real clock. */
  readonly receivedAt: number;
  /** Why the body was not read; the collector answered with an error of its own. */
  readonly problem?: string;
  /**
   * The body as JSON.
   *
   * @throws SyntaxError when it is none
   */
  json(): unknown;
}

export function collectedRequest(message: IncomingMessage, decoded: DecodedBody): CollectedRequest {
  const bytes = 'bytes' in decoded ? decoded.bytes : new Uint8Array();
  const body = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  return {
    method: message.method ?? '',
    path: message.url ?? '',
    headers: message.headers,
    body,
    bytes,
    get events() {
      return eventsIn(body);
    },
    receivedAt: Date.now(),
    ...('problem' in decoded ? { problem: decoded.problem } : {}),
    json: () => JSON.parse(body) as unknown,
  };
}

function eventsIn(body: string): TrackingEvent[] {
  const whole = parsed(body);
  const values = whole === undefined ? body.split('\n').map(parsed) : [whole].flat();
  return values.filter(isEvent);
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return undefined;
  }
}

function isEvent(value: unknown): value is TrackingEvent {
  return (
    isRecord(value) &&
    typeof value['id'] === 'string' &&
    typeof value['name'] === 'string' &&
    typeof value['timestamp'] === 'string' &&
    isRecord(value['data']) &&
    isRecord(value['context'])
  );
}
