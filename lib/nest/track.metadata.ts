import type { ExecutionContext } from '@nestjs/common';

export const TRACK = Symbol.for('nestjs-tracking.track');
export const NO_TRACK = Symbol.for('nestjs-tracking.no-track');

export interface TrackOptions {
  /**
   * The payload, made of what the handler answered, or threw. Default: none; for failures `{ error }`, the error's
   * name. A method, so that an app may name the type of result it expects.
   */
  data?(result: unknown, execution: ExecutionContext): object | null | undefined;
  /**
   * Default: `success`. Success is what the handler completes with, not what the client receives. A stream that is left
   * before its end is a success with what it answered last; a handler left before any answer fails with an `AbortError`.
   */
  readonly on?: 'success' | 'failure' | 'both';
  /** The name of another tracker; a boot without it fails. Default: the one that the controller's own module injects. */
  readonly tracker?: string;
}

/** One `@Track`. */
export interface TrackDefinition extends TrackOptions {
  readonly name: string;
}
