import type { SendError, SendResult } from '../formats/encoder.js';

/** Statuses that a later attempt may well change: request timeout, too early, too many requests. */
const RETRYABLE: ReadonlySet<number> = new Set([408, 425, 429]);
const BLOCKED: ReadonlySet<number> = new Set([401, 403]);
/** Method not allowed, gone, unsupported media type: no event could change them. */
const ENDPOINT: ReadonlySet<number> = new Set([405, 410, 415]);
const TOO_LARGE = 413;

/** What the status of an answer means for a batch. */
export function classifyAnswer(httpStatus: number, error: SendError, retryAfterMs?: number): SendResult {
  if (httpStatus >= 200 && httpStatus < 300) {
    return { status: 'delivered' };
  }
  if (RETRYABLE.has(httpStatus) || httpStatus >= 500) {
    return {
      status: 'retryable',
      error,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
  }
  if (BLOCKED.has(httpStatus)) {
    return { status: 'blocked', error };
  }
  if (httpStatus === TOO_LARGE) {
    return { status: 'tooLarge', error };
  }
  const endpoint = httpStatus < 400 || ENDPOINT.has(httpStatus);
  return { status: 'rejected', scope: endpoint ? 'endpoint' : 'event', error };
}
