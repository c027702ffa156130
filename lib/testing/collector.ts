import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import * as zlib from 'node:zlib';
import { errorMessage } from '../core/describe.js';
import type { TrackingEvent } from '../core/event.js';
import { isRecord } from '../core/options.js';
import type { MaybePromise } from '../core/processor.js';
import { Waiters } from './waiting.js';

const HOST = '127.0.0.1';

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
  /** The body as JSON; throws a SyntaxError when it is not. */
  json(): unknown;
}

/** How a collector answers one request. */
export interface CollectorAnswer {
  /** Default: 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string or bytes go as they are, anything else as JSON. Default: nothing. */
  readonly body?: unknown;
  /** Real milliseconds to wait before answering, or before `destroy`. Default: 0. */
  readonly delayMs?: number;
  /** Breaks the connection instead of answering. */
  readonly destroy?: boolean;
}

/** Decides how the n-th request (from 1) is answered; nothing means 200. */
export type Respond = (request: CollectedRequest, n: number) => MaybePromise<CollectorAnswer | undefined>;

export interface CollectorOptions {
  /** Default: 200 with an empty body. If it throws or rejects, the answer is a 500 that says so. */
  readonly respond?: Respond;
  /** Default: 0, any free port. */
  readonly port?: number;
  /** Largest body, sent or decompressed. Default: 16 MiB. */
  readonly maxBodyBytes?: number;
  /** Longest wait of `waitFor`, in real milliseconds. Default: 2,000. */
  readonly timeoutMs?: number;
}

/** A real HTTP server that keeps what it is sent. */
export interface Collector {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string;
  /** Every request received in full, in that order, before it was answered; always the same array. */
  readonly requests: readonly CollectedRequest[];
  /** Resolves with the first `count` requests (default 1); rejects with a TrackingError `timeout`. */
  waitFor(count?: number): Promise<CollectedRequest[]>;
  /** Stops listening and breaks open connections. Idempotent. */
  close(): Promise<void>;
}

/** Starts an HTTP server on the loopback interface, for tests of what sends events. */
export async function startCollector(options: CollectorOptions = {}): Promise<Collector> {
  const { respond, port = 0, maxBodyBytes = 16 * 1024 * 1024 } = options;
  const requests: CollectedRequest[] = [];
  const waiters = new Waiters(options.timeoutMs);

  const handle = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const sent = await buffer(message).catch(() => undefined);
    if (sent === undefined) {
      return; // The client went away before the end.
    }
    const body = decompressed(sent, message.headers['content-encoding'], maxBodyBytes);
    const request = collected(message, body);
    const n = requests.push(request);
    waiters.notify();
    await send(response, ('status' in body ? body : await respond?.(request, n)) ?? {});
  };

  const server = createServer((message, response) => {
    handle(message, response).catch((error: unknown) => {
      void send(response, { status: 500, body: `the collector's respond failed: ${String(error)}` });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, HOST, resolve);
  });
  let closing: Promise<void> | undefined;
  return {
    url: `http://${HOST}:${(server.address() as AddressInfo).port}`,
    requests,
    waitFor: (count = 1) =>
      waiters.first(
        count,
        () => requests,
        () => `expected ${count} requests, received ${requests.length}`,
      ),
    close: () =>
      (closing ??= new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      })),
  };
}

/** The collector's own answer to a body that it cannot read. */
type Refusal = Required<Pick<CollectorAnswer, 'status'>> & { readonly body: string };
type Decode = (body: Uint8Array, options: zlib.ZlibOptions) => Uint8Array;

/** Node has it since 22.15 and 23.8. */
const { zstdDecompressSync: zstd } = zlib as { zstdDecompressSync?: Decode };

const DECODERS: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ['identity', (body) => body],
  ['gzip', zlib.gunzipSync],
  ['br', zlib.brotliDecompressSync],
  ['deflate', zlib.inflateSync],
  ...(zstd === undefined ? [] : [['zstd', zstd] as const]),
]);

function decompressed(body: Uint8Array, encodings = 'identity', maxBytes: number): Uint8Array | Refusal {
  if (body.length > maxBytes) {
    return { status: 413, body: `the body is above ${maxBytes} bytes` };
  }
  let bytes = body;
  // RFC 9110, section 8.4: the encoding named last was applied last.
  for (const name of encodings.split(',').reverse()) {
    const encoding = name.trim().toLowerCase();
    const decode = DECODERS.get(encoding);
    if (decode === undefined) {
      const known = [...DECODERS.keys()].join(', ');
      return { status: 415, body: `content encoding ${encoding} is not one of ${known}` };
    }
    try {
      bytes = decode(bytes, { maxOutputLength: maxBytes });
    } catch (error) {
      const problem = `the body is not ${encoding} of at most ${maxBytes} bytes: ${errorMessage(error)}`;
      return { status: 400, body: problem };
    }
  }
  return bytes;
}

function collected(message: IncomingMessage, read: Uint8Array | Refusal): CollectedRequest {
  const bytes = 'status' in read ? new Uint8Array() : read;
  const body = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  return {
    method: message.method ?? '',
    path: message.url ?? '',
    headers: message.headers,
    body,
    bytes,
    get events() {
      const whole = parsed(body);
      return (whole === undefined ? body.split('\n').map(parsed) : [whole].flat()).filter(isEvent);
    },
    receivedAt: Date.now(),
    ...('status' in read ? { problem: read.body } : {}),
    json: () => JSON.parse(body) as unknown,
  };
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
    ['id', 'name', 'timestamp'].every((key) => typeof value[key] === 'string') &&
    ['data', 'context'].every((key) => isRecord(value[key]))
  );
}

/** Answers, unless the connection is gone by then. */
async function send(response: ServerResponse, answer: CollectorAnswer): Promise<void> {
  const { status = 200, headers, body, delayMs, destroy = false } = answer;
  if (delayMs !== undefined) {
    // For no longer than the connection lives.
    await once(response, 'close', { signal: AbortSignal.timeout(delayMs) }).catch(() => undefined);
  }
  if (destroy) {
    response.destroy();
  }
  if (response.destroyed) {
    return;
  }
  const content = ArrayBuffer.isView(body)
    ? new Uint8Array(body.buffer, body.byteOffset, body.byteLength)
    : body;
  const isRaw = content === undefined || typeof content === 'string' || content instanceof Uint8Array;
  response.writeHead(status, { ...(isRaw ? {} : { 'content-type': 'application/json' }), ...headers });
  response.end(isRaw ? content : JSON.stringify(content));
}
