import type { ConcurrencyRange } from './adaptive-concurrency.js';
import type { Conflict } from './judgement.js';

export interface BatchSettings {
  /** Most events of a batch. Default: 500. */
  readonly maxEvents: number;
  /** Most bytes of a batch, as JSON; an event that is larger goes alone. Default: 512 KiB. */
  readonly maxBytes: number;
  /** Longest wait of an event for others to share a batch with. Default: 1,000. */
  readonly maxDelayMs: number;
}

export interface RetrySettings {
  /** Most attempts, the first included. Default: Infinity. */
  readonly maxAttempts: number;
  /** An event that is older is given up, once the destination fails. Default: 24 h. */
  readonly maxAgeMs: number;
  /** The first wait is any time up to this, doubled with each attempt. Default: 500. */
  readonly baseMs: number;
  /** Longest wait, also where the destination asks for a longer one. Default: 30,000. */
  readonly maxDelayMs: number;
}

/** What delivery goes by. Read anew at each decision, so that it may be replaced while it runs. */
export interface DeliverySettings {
  readonly batch: BatchSettings;
  readonly retry: RetrySettings;
  readonly concurrency: ConcurrencyRange;
  readonly conflict: Conflict;
  /** Longest time of one attempt. */
  readonly timeoutMs: number;
}

export const DEFAULT_BATCH: BatchSettings = Object.freeze({
  maxEvents: 500,
  maxBytes: 512 * 1024,
  maxDelayMs: 1_000,
});

export const DEFAULT_RETRY: RetrySettings = Object.freeze({
  maxAttempts: Infinity,
  maxAgeMs: 24 * 60 * 60 * 1_000,
  baseMs: 500,
  maxDelayMs: 30_000,
});

export const DEFAULT_CONCURRENCY: ConcurrencyRange = Object.freeze({
  min: 2,
  max: 32,
});

export const DEFAULT_TIMEOUT_MS = 10_000;
