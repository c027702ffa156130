import type { TrackingEvent } from '../core/event.js';
import type { BatchInfo, EncodedBatch, Encoder } from '../formats/encoder.js';
import { signatureHeaders } from './auth.js';
import type { Compression } from './compression.js';
import { compressed } from './compression.js';
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
  events: readonly TrackingEvent[],
  info: BatchInfo,
  settings: HttpSettings,
  compression: Compression | undefined,
): Promise<HttpPayload> {
  const encoded = encoder.encode(events, info);
  const { body: text } = encoded;
  const body = typeof text === 'string' ? Buffer.from(text) : text;
  const headers = {
    ...settings.headers,
    ...encoded.headers,
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
