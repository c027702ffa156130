import type { BackendHost } from '../core/backend.js';
import type { TrackingReport } from '../core/report.js';
import { errorMessage } from '../core/describe.js';
import type { SendError, SendResult } from '../formats/encoder.js';
import type { Settlement } from './backlog.js';
import type { Batch } from './batch.js';
import type { Circuit, CircuitState } from './circuit.js';
import type { DeathCause } from './dead-letter.js';
import { publishAttempt, publishSettled, publishState } from './delivery-facts.js';

/** Deaths of one reason are told of once in this time. */
const DEAD_WINDOW_MS = 10_000;

interface Window {
  since: number;
  untold: number;
}

/** Tells of what happens: facts to whoever subscribed, changes of state to `onError`. */
export class DeliveryReporter {
  lastError: string | undefined;
  private lastEncodingError = '';
  private state: CircuitState = 'ok';
  private storageFailed = false;
  private readonly deaths = new Map<string, Window>();

  constructor(private readonly host: Pick<BackendHost, 'tracker' | 'path' | 'clock' | 'report'>) {}

  attempt<P>(batch: Batch<P>, attempt: number, result: SendResult, durationMs: number): void {
    const error = 'error' in result ? result.error : undefined;
    if (error !== undefined) {
      this.lastError = error.message;
    }
    publishAttempt(() => ({
      ...this.place(),
      ...{ batchId: batch.id, requestId: batch.requestId, attempt },
      ...{ events: batch.events.length, bytes: batch.bytes, durationMs },
      status: result.status,
      ...(error?.httpStatus === undefined ? {} : { httpStatus: error.httpStatus }),
    }));
  }

  /** A batch could not be encoded; the event at fault will be told of when it is found. */
  unencodable(message: string): void {
    this.lastError = message;
    this.lastEncodingError = message;
  }

  settled(settlements: readonly Settlement[]): void {
    for (const { events, outcome } of settlements) {
      if (outcome === 'delivered') {
        publishSettled(() => ({
          ...this.place(),
          ...{ outcome, events: events.length },
        }));
      } else {
        this.died(events.length, outcome);
      }
    }
  }

  died(events: number, cause: DeathCause): void {
    publishSettled(() => ({
      ...this.place(),
      ...{ outcome: 'dead', events, reason: cause.reason },
    }));
    const now = this.host.clock.monotonicMs();
    const window = this.deaths.get(cause.reason);
    if (window !== undefined && now - window.since < DEAD_WINDOW_MS) {
      window.untold += events;
      return;
    }
    this.deaths.set(cause.reason, { since: now, untold: 0 });
    const answer =
      cause.reason === 'unencodable'
        ? ` (${this.lastEncodingError})`
        : cause.status === undefined
          ? ''
          : ` (HTTP ${cause.status})`;
    const more = window?.untold ?? 0;
    this.report({
      code: 'dead_letters',
      message: `${events} events became dead letters: ${cause.reason}${answer}${more > 0 ? `; ${more} more since the last report` : ''}`,
    });
  }

  /** Tells of the state if it is another than before. */
  circuit({ state, pauseReason }: Circuit, error: SendError | undefined): void {
    if (state === this.state) {
      return;
    }
    this.state = state;
    publishState({
      ...this.place(),
      state,
      ...(pauseReason === undefined ? {} : { reason: pauseReason }),
    });
    const why = error === undefined ? '' : `: ${error.message}`;
    if (state === 'ok') {
      this.report({
        code: 'destination_recovered',
        message: 'the destination takes events again',
      });
    } else if (state === 'retrying') {
      this.report({
        code: 'destination_failing',
        message: `the destination does not take events${why}; they wait, one small batch probes`,
      });
    } else {
      this.report({
        code: 'destination_paused',
        message:
          pauseReason === 'unauthorised'
            ? `the destination refuses the credentials${why}; events wait until they are changed`
            : `the destination refuses everything${why}; events wait, one probes now and then`,
      });
    }
  }

  storage(error: unknown): void {
    this.lastError = errorMessage(error);
    if (!this.storageFailed) {
      this.storageFailed = true;
      this.report({
        code: 'backlog_failed',
        message: 'the backlog could not record what was delivered; it is tried again',
        error,
      });
    }
  }

  storageWorks(): void {
    this.storageFailed = false;
  }

  private report(report: TrackingReport): void {
    this.host.report({ path: this.host.path, ...report });
  }

  private place(): { tracker: string; path: string } {
    return { tracker: this.host.tracker, path: this.host.path };
  }
}
