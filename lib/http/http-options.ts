import type { Dispatcher } from 'undici';
import type { TrackingEvent } from '../core/event.js';
import type { Backlog } from '../delivery/backlog.js';
import type { BatchSettings, RetrySettings } from '../delivery/delivery-settings.js';
import type { ConcurrencyRange } from '../delivery/adaptive-concurrency.js';
import type { Conflict } from '../delivery/judgement.js';
import type { OnDeadLetter } from '../delivery/lost-events.js';
import type { Encoder } from '../formats/encoder.js';
import type { FormatName } from '../formats/encoders.js';
import type { HttpAuth } from './auth.js';
import type { Compression } from './compression.js';

/** What can be changed while it runs, with `configure`. */
export interface HttpBackendChanges {
  /** Where to: http or https. Never shown with user or query. */
  readonly url?: string | URL;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly auth?: HttpAuth;
  readonly batch?: Partial<BatchSettings>;
  readonly retry?: Partial<RetrySettings>;
  /** Requests at once: a number, or a range in which it adapts. Default: `{ min: 2, max: 32 }`. */
  readonly concurrency?: number | Partial<ConcurrencyRange>;
  /** Longest time of one request. Default: 10,000. */
  readonly timeoutMs?: number;
  /** A 409 for a single event: it is there already (`delivered`), or it is not wanted. Default: `rejected`. */
  readonly conflict?: Conflict;
  /** True sends nothing; everything else goes on, and events count as delivered. Default: false. */
  readonly noEmit?: boolean;
  /** Sends to this path of the same host instead; `undefined` ends it. */
  readonly testMode?: { readonly path: string } | undefined;
}

export interface HttpBackendOptions extends HttpBackendChanges {
  readonly url: string | URL;
  /** Default: `json`. */
  readonly format?: FormatName | Encoder;
  readonly batch?: Partial<BatchSettings> & {
    /** Names the stream of an event: streams are never mixed, and each keeps its order. Default: the format's. */
    readonly partitionBy?: (event: TrackingEvent) => string;
  };
  /** Where events wait. Default: `memoryBacklog()`. */
  readonly backlog?: Backlog;
  /** Default: none. */
  readonly compression?: Compression;
  /** Gets events that are not going to be delivered, with the reason. Awaited at shutdown. */
  readonly onDeadLetter?: OnDeadLetter;
  /** Certificates and the like, as of `tls.connect`. */
  readonly tls?: TlsOptions;
  /** An undici dispatcher of the app's own, which stays open. Default: a pool of the backend's own. */
  readonly dispatcher?: Dispatcher;
}

/** What is needed of the options of `tls.connect`. */
export interface TlsOptions {
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
  readonly passphrase?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}
