import type { SendError, SendResult } from '../formats/encoder.js';
import type { LeasedEvent, Settlement } from './backlog.js';
import { halves } from './batches.js';
import type { DeadReason, DeathCause } from './dead-letter.js';

/** What an attempt says about the destination. */
export type Signal =
  /** It took something. */
  | 'delivered'
  /** It answered, whatever it thinks of the events. */
  | 'answered'
  /** It is away, or asks for time. */
  | 'failing'
  /** It does not know us. */
  | 'blocked'
  /** It refused a batch without looking at it. */
  | 'refused'
  /** It refused single events. */
  | 'rejected'
  /** Nothing: it was not asked. */
  | 'none';

/** What is to be done after an attempt. */
export interface Judgement {
  readonly settlements: readonly Settlement[];
  /**
   * What goes again. The same events are the same batch: same id, same bytes. Anything else makes new batches, of
   * which the first goes first.
   */
  readonly again: 'same' | readonly (readonly LeasedEvent[])[];
  /** Whether it waits before it goes again. */
  readonly backoff: boolean;
  readonly retryAfterMs?: number;
  readonly signal: Signal;
  readonly error?: SendError;
}

export interface TriedBatch {
  readonly events: readonly LeasedEvent[];
  /** Whether these very bytes went out before, so that the destination may know them. */
  readonly repeated: boolean;
}

/** What a 409 for a single event means: it is there already, or it is not wanted. */
export type Conflict = 'rejected' | 'delivered';

/** Conflict, unprocessable: how destinations answer to an idempotency key that they know. */
const KNOWN_KEY: ReadonlySet<number | undefined> = new Set([409, 422]);
const CONFLICT = 409;

/** Decides what an attempt's result means for the events of the batch. */
export function judge(batch: TriedBatch, result: SendResult, conflict: Conflict): Judgement {
  const { events } = batch;
  switch (result.status) {
    case 'delivered':
      return {
        ...nothing,
        ...settle(events, 'delivered'),
        signal: 'delivered',
      };
    case 'partial':
      return judgePartial(events, result);
    case 'retryable':
      return {
        ...nothing,
        ...{ again: 'same', backoff: true, signal: 'failing' },
        ...after(result.retryAfterMs),
        error: result.error,
      };
    case 'blocked':
      return {
        ...nothing,
        ...{ again: 'same', signal: 'blocked', error: result.error },
      };
    case 'tooLarge':
      return judgeTooLarge(events, result.error);
    case 'rejected':
      return result.scope === 'endpoint'
        ? {
            ...nothing,
            ...settle(events, causeOf('refused', result.error)),
            ...{ signal: 'refused', error: result.error },
          }
        : judgeRejected(batch, result.error, conflict);
  }
}

/** What becomes of a batch that its format cannot express: the guilty event is looked for. */
export function judgeUnencodable(events: readonly LeasedEvent[], message: string): Judgement {
  const error = { message };
  return events.length > 1
    ? { ...nothing, again: halves(events), signal: 'none', error }
    : {
        ...nothing,
        ...settle(events, { reason: 'unencodable' }),
        ...{ signal: 'none', error },
      };
}

/** Why an event died, with what the destination said. */
export function causeOf(reason: DeadReason, error?: SendError): DeathCause {
  return {
    reason,
    ...(error?.httpStatus === undefined ? {} : { status: error.httpStatus }),
    ...(error?.body === undefined ? {} : { body: error.body }),
  };
}

const nothing = {
  settlements: [],
  again: [],
  backoff: false,
} as const satisfies Partial<Judgement>;

function settle(
  events: readonly LeasedEvent[],
  outcome: Settlement['outcome'],
): Pick<Judgement, 'settlements'> {
  return { settlements: [{ events, outcome }] };
}

function after(retryAfterMs: number | undefined): Pick<Judgement, 'retryAfterMs'> {
  return retryAfterMs === undefined ? {} : { retryAfterMs };
}

function judgeTooLarge(events: readonly LeasedEvent[], error: SendError | undefined): Judgement {
  const why = error === undefined ? {} : { error };
  // A limit of our own format says nothing about the destination.
  const isAnswer = error === undefined || error.httpStatus !== undefined;
  const signal = isAnswer ? 'answered' : 'none';
  return events.length > 1
    ? { ...nothing, ...why, again: halves(events), signal }
    : {
        ...nothing,
        ...settle(events, causeOf('too_large', error)),
        ...{ signal, ...why },
      };
}

function judgeRejected({ events, repeated }: TriedBatch, error: SendError, conflict: Conflict): Judgement {
  if (repeated && KNOWN_KEY.has(error.httpStatus)) {
    return { ...nothing, again: [events], signal: 'answered', error };
  }
  if (events.length > 1) {
    return { ...nothing, again: halves(events), signal: 'answered', error };
  }
  return error.httpStatus === CONFLICT && conflict === 'delivered'
    ? { ...nothing, ...settle(events, 'delivered'), signal: 'delivered' }
    : {
        ...nothing,
        ...settle(events, causeOf('rejected', error)),
        ...{ signal: 'rejected', error },
      };
}

function judgePartial(
  events: readonly LeasedEvent[],
  result: Extract<SendResult, { status: 'partial' }>,
): Judgement {
  const { outcomes, error } = result;
  const having = (wanted: 'delivered' | 'rejected' | 'retry'): LeasedEvent[] =>
    events.filter(({ id }) => (outcomes.get(id) ?? 'retry') === wanted);
  const delivered = having('delivered');
  const rejected = having('rejected');
  const retry = having('retry');
  return {
    settlements: [
      { events: delivered, outcome: 'delivered' as const },
      { events: rejected, outcome: causeOf('rejected', error) },
    ].filter((settlement) => settlement.events.length > 0),
    again: retry.length === events.length ? 'same' : retry.length > 0 ? [retry] : [],
    backoff: retry.length > 0,
    ...after(result.retryAfterMs),
    signal: delivered.length > 0 ? 'delivered' : rejected.length > 0 ? 'rejected' : 'failing',
    ...(error === undefined ? {} : { error }),
  };
}
