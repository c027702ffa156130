import type { TrackingEvent } from '../core/event.js';

/** Why an accepted event was given up. */
export type DeadReason =
  /** The destination refused this event. */
  | 'rejected'
  /** The destination refused whatever was sent to it: a redirect, 405, 410, 415. */
  | 'refused'
  /** Alone, and still too large for the destination. */
  | 'too_large'
  /** The format cannot express it. */
  | 'unencodable'
  /** Older than `retry.maxAgeMs`. */
  | 'expired'
  /** Tried `retry.maxAttempts` times. */
  | 'attempts'
  /** The backlog was full, and newer ones took its place. */
  | 'overflow'
  /** Left in memory when the process ended. */
  | 'shutdown';

/** Why an event died, and what the destination said about it. */
export interface DeathCause {
  readonly reason: DeadReason;
  /** The HTTP status of the last answer. */
  readonly status?: number;
  /** The beginning of the last answer, at most 4 KiB. */
  readonly body?: string;
}

/** An event that was given up, and is kept so that it can be looked at and sent again. */
export interface DeadLetter extends DeathCause {
  readonly event: TrackingEvent;
  readonly path: string;
  /** Epoch milliseconds of its death. */
  readonly at: number;
}

/** Chooses dead letters; what is not given does not matter. */
export interface DeadLetterFilter {
  readonly reason?: string;
  /** The event's name. */
  readonly name?: string;
  readonly ids?: readonly string[];
  /** Died at or after: epoch milliseconds. */
  readonly from?: number;
  /** Died at or before: epoch milliseconds. */
  readonly to?: number;
}

/** Reads a filter once, to be asked about many. */
export function deadLetterMatcher(filter: DeadLetterFilter = {}): (letter: DeadLetter) => boolean {
  const { reason, name, from = -Infinity, to = Infinity } = filter;
  const ids = filter.ids === undefined ? undefined : new Set(filter.ids);
  return (letter) =>
    (reason === undefined || letter.reason === reason) &&
    letter.at >= from &&
    letter.at <= to &&
    (name === undefined || letter.event.name === name) &&
    (ids === undefined || ids.has(letter.event.id));
}
