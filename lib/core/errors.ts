const BRAND = Symbol.for('nestjs-tracking.error');

/** What `TrackingError.code` can be. */
export type TrackingErrorCode =
  /** Options are wrong; the message lists every problem with its path. */
  | 'invalid_options'
  /** `tracker.backend(path)` or `register(path)` names a place that does not exist. */
  | 'unknown_path'
  /** `strict`: an event has no name. */
  | 'invalid_name'
  /** `strict`: a payload had to be changed to be JSON. */
  | 'payload_changed'
  /** `strict`: `exitContext` of a name that was never entered. */
  | 'unknown_context'
  /** `strict`: `enterContext` outside any scope while a host serves. */
  | 'context_outside_scope'
  /** `register` after `close`; `strict`: an event after `close`. */
  | 'closed'
  /** An event is too large for a backend. */
  | 'too_large'
  /** Something did not happen within its time. */
  | 'timeout'
  /** A backend has no room for an event. */
  | 'overflow'
  /** Another service did not answer what it was asked. */
  | 'unavailable';

/** The one error class of this package. Recognise it with `isTrackingError`, which also sees other copies' errors. */
export class TrackingError extends Error {
  override readonly name = 'TrackingError';
  readonly [BRAND] = true;

  constructor(
    readonly code: TrackingErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Whether a value is an error of this package, of whichever copy of it. */
export function isTrackingError(value: unknown): value is TrackingError {
  return typeof value === 'object' && value !== null && BRAND in value;
}
