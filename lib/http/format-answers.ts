import { ignore, isThenable } from '../core/thenable.js';
import { isRecord } from '../core/options.js';
import { describeValue } from '../core/describe.js';
import type { BatchInfo, DestinationAnswer, EncodedBatch, Encoder, SendResult } from '../formats/encoder.js';
import type { TrackingEvent } from '../core/event.js';

/*
 * What formats answer, checked: an app's own one may be wrong in any way, and what is taken for a body or an outcome
 * must be one, or events are lost without a trace.
 */

const STATUSES: ReadonlySet<unknown> = new Set<SendResult['status']>([
  ...(['delivered', 'partial', 'retryable'] as const),
  ...(['tooLarge', 'blocked', 'rejected'] as const),
]);
const METHODS: ReadonlySet<unknown> = new Set(['POST', 'PUT', 'GET']);

/** @throws whatever `encode` throws; TypeError when it answers no batch */
export function encodedBy(encoder: Encoder, events: readonly TrackingEvent[], info: BatchInfo): EncodedBatch {
  const encoded: unknown = encoder.encode(events, info);
  const problem = problemOf(encoded);
  if (problem !== undefined) {
    throw new TypeError(`encode() of the format ${encoder.name} answered ${problem}`);
  }
  return encoded as EncodedBatch;
}

function problemOf(encoded: unknown): string | undefined {
  if (isThenable(encoded)) {
    ignore(encoded);
    return 'a promise';
  }
  if (!isRecord(encoded)) {
    return describeValue(encoded);
  }
  const { body, method = 'POST', contentType, path, headers } = encoded;
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
    return body === undefined && method === 'GET' ? undefined : `the body ${describeValue(body)}`;
  }
  if (typeof contentType !== 'string') {
    return `the content type ${describeValue(contentType)}`;
  }
  if (!METHODS.has(method)) {
    return `the method ${describeValue(method)}`;
  }
  if (path !== undefined && typeof path !== 'string') {
    return `the path ${describeValue(path)}`;
  }
  return headers === undefined || isRecord(headers) ? undefined : `the headers ${describeValue(headers)}`;
}

/** @throws whatever `outcome` throws; TypeError when it answers no result */
export function outcomeBy(
  encoder: Encoder,
  answer: DestinationAnswer,
  events: readonly TrackingEvent[],
): SendResult | undefined {
  const result: unknown = encoder.outcome?.(answer, events);
  if (result === undefined || isResult(result)) {
    return result;
  }
  if (isThenable(result)) {
    ignore(result);
  }
  throw new TypeError(`outcome() of the format ${encoder.name} answered ${describeValue(result)}`);
}

function isResult(result: unknown): result is SendResult {
  if (!isRecord(result) || !STATUSES.has(result['status'])) {
    return false;
  }
  const { status, error, outcomes, scope } = result;
  return (
    (status === 'partial'
      ? outcomes instanceof Map
      : status === 'delivered' || status === 'tooLarge' || isError(error)) &&
    (!('error' in result) || isError(error)) &&
    (status !== 'rejected' || scope === 'event' || scope === 'endpoint')
  );
}

function isError(error: unknown): boolean {
  return (
    isRecord(error) &&
    typeof error['message'] === 'string' &&
    ['string', 'undefined'].includes(typeof error['body'])
  );
}
