import type { ContextStore } from './context-store.js';
import type { TrackingEvent } from './event.js';
import { TrackedEvent } from './event.js';
import { Scope } from './scope.js';
import { isThenable } from './thenable.js';

/** What `onError` receives. */
export type ReportCode =
  /** An empty name, or one that is not a string, became `unknown`. */
  | 'invalid_name'
  /** An `id`, `timestamp` or other option of one `emit` is unusable and was ignored. */
  | 'invalid_option'
  /** A payload had to be changed to be JSON; the message says where. */
  | 'payload_changed'
  /** A context's data had to be changed to be JSON, or is not an object. */
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
  /** A processor threw, rejected, or returned something that is not an event, or fields that an event does not have. */
  | 'processor_failed'
  /** A backend threw or rejected. */
  | 'backend_failed'
  /** A destination does not answer, or asks for time; its events wait and are tried again. Reported once. */
  | 'destination_failing'
  /** A destination refuses our credentials, or everything; its events wait until a probe gets through. Reported once. */
  | 'destination_paused'
  /** A destination takes events again. */
  | 'destination_recovered'
  /** Accepted events were given up; reported once in 10 s for each reason. */
  | 'dead_letters'
  /** A backlog could not store or read. Reported once, until it works again. */
  | 'backlog_failed'
  /** A backlog on disk holds events of a path that no backend has any more. Reported once. */
  | 'events_left_behind'
  /** `awaitAccepted`: a response left although an event of its request was not accepted. */
  | 'not_accepted'
  /** Something of the app that the tracker calls (a `user` function, `onEnd`, …) threw or rejected. */
  | 'callback_failed';

/** One problem, reported once. */
export interface TrackingReport {
  readonly code: ReportCode;
  /** What happened and what was done about it. */
  readonly message: string;
  /** The node of the topology it happened at. */
  readonly path?: string;
  readonly error?: unknown;
  readonly event?: TrackingEvent;
}

/** Receives every report. May throw or reject: that is caught. */
export type OnError = (report: TrackingReport) => void;

/**
 * Hands reports to the app's `onError`; never throws.
 *
 * What `onError` itself emits, now or later, and everything that happens to those events is reported to the fallback
 * alone: an app that tracks its reports while a backend fails would never come to an end.
 */
export class Reporter {
  constructor(
    private readonly onError: (report: TrackingReport) => unknown,
    private readonly fallback: OnError,
    private readonly store: ContextStore,
  ) {}

  report(report: TrackingReport): void {
    const { event } = report;
    if (this.store.isReporting || (event !== undefined && TrackedEvent.state(event)?.fromOnError === true)) {
      this.tryFallback(report);
      return;
    }
    try {
      const answer = this.store.run(Scope.reporting(this.store.current()), () => this.onError(report));
      if (isThenable(answer)) {
        answer.then(undefined, (error: unknown) => {
          this.failed(error);
        });
      }
    } catch (error) {
      this.failed(error);
    }
  }

  private failed(error: unknown): void {
    this.tryFallback({ code: 'callback_failed', message: 'onError failed', path: 'onError', error });
  }

  private tryFallback(report: TrackingReport): void {
    try {
      this.fallback(report);
    } catch {
      // A report must never come back as an exception of `emit`.
    }
  }
}
