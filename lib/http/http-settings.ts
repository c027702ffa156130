import type { ConcurrencyRange } from '../delivery/adaptive-concurrency.js';
import type { DeliverySettings } from '../delivery/delivery-settings.js';
import {
  DEFAULT_BATCH,
  DEFAULT_CONCURRENCY,
  DEFAULT_RETRY,
  DEFAULT_TIMEOUT_MS,
} from '../delivery/delivery-settings.js';
import type { Encoder } from '../formats/encoder.js';
import type { HttpAuth } from './auth.js';
import { lowerCased } from './header-names.js';
import type { HttpBackendChanges, HttpBackendOptions } from './http-options.js';

/** What the code reads; replaced as a whole when something changes. */
export interface HttpSettings extends DeliverySettings {
  /** Without user and password. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly auth: HttpAuth | undefined;
  readonly noEmit: boolean;
}

/** Settings from checked options. */
export function httpSettings(options: HttpBackendOptions, encoder: Encoder): HttpSettings {
  const { concurrency = DEFAULT_CONCURRENCY } = options;
  const batch = { ...DEFAULT_BATCH, ...given(options.batch) };
  const url = new URL(options.url);
  const auth = options.auth ?? userOf(url);
  url.username = '';
  url.password = '';
  if (options.testMode !== undefined) {
    url.pathname = options.testMode.path;
  }
  return {
    ...{ url, auth },
    headers: lowerCased(options.headers ?? {}),
    noEmit: options.noEmit ?? false,
    batch: {
      maxEvents: Math.min(batch.maxEvents, encoder.maxEvents ?? Infinity),
      maxBytes: batch.maxBytes,
      maxDelayMs: batch.maxDelayMs,
    },
    retry: { ...DEFAULT_RETRY, ...given(options.retry) },
    concurrency: rangeOf(concurrency),
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    conflict: options.conflict ?? 'rejected',
  };
}

/** Options with changes; parts of `batch` and `retry` that are not named stay. */
export function changed(options: HttpBackendOptions, changes: HttpBackendChanges): HttpBackendOptions {
  return {
    ...options,
    ...changes,
    batch: { ...options.batch, ...changes.batch },
    retry: { ...options.retry, ...changes.retry },
  };
}

/** Where only one end is given, the other one keeps to it. */
function rangeOf(concurrency: NonNullable<HttpBackendOptions['concurrency']>): ConcurrencyRange {
  if (typeof concurrency === 'number') {
    return { min: concurrency, max: concurrency };
  }
  const { min, max } = concurrency;
  return {
    min: min ?? Math.min(DEFAULT_CONCURRENCY.min, max ?? Infinity),
    max: max ?? Math.max(DEFAULT_CONCURRENCY.max, min ?? 0),
  };
}

function given<T extends object>(part: T | undefined): Partial<T> {
  return Object.fromEntries(
    Object.entries(part ?? {}).filter(([, value]) => value !== undefined),
  ) as Partial<T>;
}

function userOf(url: URL): HttpAuth | undefined {
  return url.username === ''
    ? undefined
    : {
        basic: {
          username: decoded(url.username),
          password: decoded(url.password),
        },
      };
}

/** A URL takes a percent sign that encodes nothing; then it stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
