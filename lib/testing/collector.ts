import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CollectedRequest } from './collected-request.js';
import { collectedRequest } from './collected-request.js';
import type { CollectorAnswer } from './collector-answer.js';
import { sendAnswer } from './collector-answer.js';
import type { DecodedBody } from './decoded-body.js';
import { decodedBody } from './decoded-body.js';
import type { MaybePromise } from '../core/processor.js';
import { atLeastOne, DEFAULT_WAIT_MS, Waiters } from './waiters.js';

const DEFAULT_MAX_BODY_BYTES = 16 * 1024 * 1024;
const HOST = '127.0.0.1';

/** Decides how the n-th request (from 1) is answered; nothing means 200. */
export type Respond = (request: CollectedRequest, n: number) => MaybePromise<CollectorAnswer | undefined>;

export interface CollectorOptions {
  /** Default: 200 with an empty body. One that throws or rejects makes a 500 that says so. */
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

/**
 * Starts an HTTP server on the loopback interface, for tests of what sends events.
 *
 * @example
 * const collector = await startCollector({
 *   respond: (request, n) => (n === 1 ? { status: 503 } : { status: 200 }),
 * });
 */
export async function startCollector(options: CollectorOptions = {}): Promise<Collector> {
  const maxBodyBytes = options.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES;
  const requests: CollectedRequest[] = [];
  const waiters = new Waiters(options.timeoutMs ?? DEFAULT_WAIT_MS);

  const handle = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(message, maxBodyBytes);
    if (body === undefined) {
      return;
    }
    const request = collectedRequest(message, body);
    const n = requests.push(request);
    waiters.arrived();
    await sendAnswer(
      response,
      'problem' in body
        ? { status: body.status, body: body.problem }
        : ((await options.respond?.(request, n)) ?? {}),
    );
  };

  const server = createServer((message, response) => {
    handle(message, response).catch((error: unknown) => {
      void sendAnswer(response, {
        status: 500,
        body: `the collector's respond failed: ${String(error)}`,
      });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, HOST, resolve);
  });
  let closing: Promise<void> | undefined;

  return {
    url: `http://${HOST}:${(server.address() as AddressInfo).port}`,
    requests,
    waitFor: async (count = 1) => {
      atLeastOne(count);
      return waiters.until(
        () => (requests.length < count ? undefined : requests.slice(0, count)),
        () => `expected ${count} requests, received ${requests.length}`,
      );
    },
    close: () =>
      (closing ??= new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      })),
  };
}

/** The decoded body; nothing when the client went away before its end. */
async function readBody(message: IncomingMessage, maxBytes: number): Promise<DecodedBody | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of message as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size <= maxBytes) {
        chunks.push(chunk);
      }
    }
  } catch {
    return undefined;
  }
  return size > maxBytes
    ? { status: 413, problem: `the body is above ${maxBytes} bytes` }
    : decodedBody(Buffer.concat(chunks), message.headers['content-encoding'], maxBytes);
}
