import type { TrackingEvent } from './event.js';
import { isThenable } from './thenable.js';

/** What `onError` can be told. */
export type ReportCode =
  /** An empty name, or one that is no string, became `unknown`. */
  | 'invalid_name'
  /** An `id`, `timestamp` or other option of one `emit` is unusable and was ignored. */
  | 'invalid_option'
  /** A payload had to be changed to be JSON; the message says where. */
  | 'payload_changed'
  /** A context's data had to be changed to be JSON, or is no object. */
  | 'context_changed'
  /** `exitContext` of a name that was never entered. */
  | 'unknown_context'
  /** `enterContext` outside any scope while a host serves: refused. */
  | 'context_outside_scope'
  /** An event, or a frame, above `limits.maxBytes` was dropped. */
  | 'too_large'
  /** An event that could not be made into JSON at all was dropped. */
  | 'unserialisable'
  /** An event after `close` was dropped. */
  | 'closed'
  /** Too much was under way: an event was dropped. */
  | 'overflow'
  /** Something took longer than its limit. */
  | 'timeout'
  /** A processor threw, rejected, or answered what is no event. */
  | 'processor_failed'
  /** A backend threw or rejected. */
  | 'backend_failed'
  /** A destination does not answer, or asks for time; its events wait and are tried again. Told once. */
  | 'destination_failing'
  /** A destination refuses our credentials, or everything; its events wait until a probe gets through. Told once. */
  | 'destination_paused'
  /** A destination takes events again. */
  | 'destination_recovered'
  /** Accepted events were given up; told once in 10 s for each reason. */
  | 'dead_letters'
  /** A backlog could not store or read. Told once, until it works again. */
  | 'backlog_failed'
  /** A backlog on disk holds events of a path that no backend has any more. Told once. */
  | 'events_left_behind'
  /** `awaitAccepted`: a response left although an event of its request was not accepted. */
  | 'not_accepted'
  /** Something of the app that the tracker calls (a `user` function, `onEnd`, …) threw or rejected. */
  | 'callback_failed';

/** One problem, told once. */
export interface TrackingReport {
  readonly code: ReportCode;
  /** What happened and what was done about it. */
  readonly message: string;
  /** The node of the topology it happened at. */
  readonly path?: string;
  readonly error?: unknown;
  readonly event?: TrackingEvent;
}

/** Hears every report. May throw or reject: that is caught. */
export type OnError = (report: TrackingReport) => void;

/** Hands reports to whoever listens; never throws. */
export class Reporter {
  private reporting = false;

  constructor(
    private readonly onError: (report: TrackingReport) => unknown,
    private readonly fallback: OnError,
  ) {}

  report(report: TrackingReport): void {
    // An onError that emits a bad event itself must not call itself for ever.
    if (this.reporting) {
      this.tellFallback(report);
      return;
    }
    this.reporting = true;
    try {
      const result = this.onError(report);
      if (isThenable(result)) {
        result.then(undefined, (error: unknown) => {
          this.failed(error);
        });
      }
    } catch (error) {
      this.failed(error);
    } finally {
      this.reporting = false;
    }
  }

  private failed(error: unknown): void {
    this.tellFallback({
      code: 'callback_failed',
      message: 'onError failed',
      path: 'onError',
      error,
    });
  }

  /** Nobody is left to hear of it when this fails too. */
  private tellFallback(report: TrackingReport): void {
    try {
      this.fallback(report);
    } catch {
      // A report must never come back as an exception of `emit`.
    }
  }
}
