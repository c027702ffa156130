import type { LeasedEvent } from '../delivery/backlog.js';
import { bytesOf } from '../delivery/batches.js';
import type { BatchInfo, EncodedBatch, Encoder, JoinedJson } from '../formats/encoder.js';
import { signatureHeaders } from './auth.js';
import type { Compression } from './compression.js';
import { compressed } from './compression.js';
import { encodedBy } from './format-answers.js';
import { lowerCased } from './header-names.js';
import type { HttpSettings } from './http-settings.js';

/** A batch as it goes over the wire, every time. */
export interface HttpPayload {
  readonly encoded: EncodedBatch;
  readonly body: Uint8Array | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Of the body before compression. */
  readonly bytes: number;
}

/** Encodes, signs and compresses a batch. */
export async function httpPayload(
  encoder: Encoder,
  events: readonly LeasedEvent[],
  info: BatchInfo,
  settings: HttpSettings,
  compression: Compression | undefined,
): Promise<HttpPayload> {
  const { joined } = encoder;
  const encoded: EncodedBatch =
    joined === undefined
      ? encodedBy(
          encoder,
          events.map(({ event }) => event),
          info,
        )
      : { body: join(events, joined), contentType: joined.contentType };
  const { body: text } = encoded;
  const body = typeof text === 'string' ? Buffer.from(text) : text;
  const headers = {
    ...settings.headers,
    ...lowerCased(encoded.headers ?? {}),
    'idempotency-key': info.batchId,
    ...(body === undefined ? {} : { 'content-type': encoded.contentType }),
    ...signatureHeaders(settings.auth, body ?? ''),
  };
  const bytes = body?.length ?? 0;
  return body === undefined || compression === undefined
    ? { encoded, body, headers, bytes }
    : {
        ...{ encoded, bytes },
        body: await compressed(body, compression),
        headers: { ...headers, 'content-encoding': compression },
      };
}

/** Copies bytes: nothing is made into text, or read. */
function join(events: readonly LeasedEvent[], { before, between, after }: JoinedJson): Buffer {
  const head = Buffer.from(before);
  const gap = Buffer.from(between);
  const tail = Buffer.from(after);
  const gaps = gap.length * (events.length - 1);
  const body = Buffer.allocUnsafe(head.length + bytesOf(events) + gaps + tail.length);
  let at = head.copy(body, 0);
  let first = true;
  for (const event of events) {
    if (!first) {
      for (const byte of gap) {
        body[at++] = byte;
      }
    }
    first = false;
    event.writeJson(body, at);
    at += event.bytes;
  }
  tail.copy(body, at);
  return body;
}
