import type { TrackingEvent } from '../core/event.js';

/** What one attempt to deliver came to. The outside world answers with values: nothing of it is thrown. */
export type SendResult =
  | { readonly status: 'delivered' }
  | {
      readonly status: 'partial';
      /** By the event's id. Events that are not named are sent again; ids that were not sent are ignored. */
      readonly outcomes: ReadonlyMap<string, 'delivered' | 'rejected' | 'retry'>;
      readonly retryAfterMs?: number;
      /** Why events were rejected; ends up in their dead letters. */
      readonly error?: SendError;
    }
  | {
      readonly status: 'retryable';
      readonly error: SendError;
      readonly retryAfterMs?: number;
    }
  /** The batch is too large: 413. */
  | { readonly status: 'tooLarge'; readonly error?: SendError }
  /** The credentials do not do: 401, 403. */
  | { readonly status: 'blocked'; readonly error: SendError }
  | {
      readonly status: 'rejected';
      /** Whether some event is at fault, or the endpoint would refuse any. */
      readonly scope: 'event' | 'endpoint';
      readonly error: SendError;
    };

/** What went wrong, as far as it may be shown: no credentials, no query of a URL. */
export interface SendError {
  readonly message: string;
  readonly httpStatus?: number;
  /** The beginning of the destination's answer, at most 4 KiB. */
  readonly body?: string;
}

/** What a destination answered, for encoders that read more in it than the status. */
export interface DestinationAnswer {
  readonly httpStatus: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** At most 64 KiB of it, as text. */
  readonly body: string;
  /** Read from Retry-After, in either form. */
  readonly retryAfterMs?: number;
}

export interface BatchInfo {
  /** Stays with the batch over its retries; changes with its composition. */
  readonly batchId: string;
  /** Epoch milliseconds when the batch was made. */
  readonly now: number;
}

/** A batch in the destination's format. Made once: every retry sends the same bytes. */
export interface EncodedBatch {
  /** Absent for a GET. */
  readonly body?: string | Uint8Array;
  readonly contentType: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Appended to the path of the backend's URL; may bring a query. */
  readonly path?: string;
  /** Default: POST. */
  readonly method?: 'POST' | 'PUT' | 'GET';
}

/** A body that is made of the events' JSON as it is. */
export interface JoinedJson {
  readonly before: string;
  readonly between: string;
  readonly after: string;
  readonly contentType: string;
}

/** A wire format. Pure: the same batch and info give the same bytes. What it throws makes the guilty event a dead letter. */
export interface Encoder {
  /** Shown in errors and stats. */
  readonly name: string;
  /** Most events of one batch, where the destination has a limit of its own. */
  readonly maxEvents?: number;
  /** Most bytes of one body, where the destination has a limit of its own. */
  readonly maxBytes?: number;
  encode(batch: readonly TrackingEvent[], info: BatchInfo): EncodedBatch;
  /**
   * Where the body is nothing but the events' JSON, with these texts around and between: what is stored then goes out
   * as it is, and `encode`, which must say the same, is not called.
   */
  readonly joined?: JoinedJson;
  /**
   * Reads the answer, where the destination answers per event or hides failures in a 200. `undefined` leaves the
   * judgement to the status.
   */
  outcome?(answer: DestinationAnswer, batch: readonly TrackingEvent[]): SendResult | undefined;
  /** Streams that are kept apart and in order; an app's own `batch.partitionBy` takes its place. */
  partitionBy?(event: TrackingEvent): string;
  /** Events of different groups never share a batch; consecutive events of one group do. */
  groupBy?(event: TrackingEvent): string;
  /**
   * Called once per event, in the moment in which it is stored; what it answers, the same event with more in its
   * context, is what is stored. Where it throws, the event is stored as it is.
   */
  accept?(event: TrackingEvent): TrackingEvent;
  /** What `accept` answered could not be stored after all; nothing was accepted since. */
  takeBack?(events: readonly TrackingEvent[]): void;
}
