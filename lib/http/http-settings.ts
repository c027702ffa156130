import type { DeliverySettings } from '../delivery/delivery-settings.js';
import {
  DEFAULT_BATCH,
  DEFAULT_CONCURRENCY,
  DEFAULT_RETRY,
  DEFAULT_TIMEOUT_MS,
} from '../delivery/delivery-settings.js';
import type { Encoder } from '../formats/encoder.js';
import type { HttpAuth } from './auth.js';
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
export function httpSettings(
  options: HttpBackendOptions,
  encoder: Encoder,
): HttpSettings {
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
    concurrency:
      typeof concurrency === 'number'
        ? { min: concurrency, max: concurrency }
        : { ...DEFAULT_CONCURRENCY, ...given(concurrency) },
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    conflict: options.conflict ?? 'rejected',
  };
}

/** Options with changes; parts of `batch` and `retry` that are not named stay. */
export function changed(
  options: HttpBackendOptions,
  changes: HttpBackendChanges,
): HttpBackendOptions {
  return {
    ...options,
    ...changes,
    batch: { ...options.batch, ...changes.batch },
    retry: { ...options.retry, ...changes.retry },
  };
}

/**
 * A text as it may be shown: without credentials, which a destination may repeat in its answer.
 *
 * @param signed the headers with which a request was signed: functions answer others each time
 */
export function withoutSecrets(
  text: string,
  settings: HttpSettings,
  signed: Readonly<Record<string, string>> = {},
): string {
  return secretsOf(settings, signed).reduce(
    (all, secret) => all.replaceAll(secret, '***'),
    text,
  );
}

/** Everything in the settings that must not be shown. The longest first: one may be a part of another. */
export function secretsOf(
  { url, auth, headers }: HttpSettings,
  signed: Readonly<Record<string, string>> = {},
): string[] {
  const own =
    auth === undefined || typeof auth === 'function'
      ? []
      : 'basic' in auth
        ? [auth.basic.username, auth.basic.password]
        : 'bearer' in auth
          ? [auth.bearer]
          : 'apiKey' in auth
            ? [auth.apiKey.key]
            : [auth.hmac.secret];
  const authorization = headers['authorization'] ?? '';
  return [
    ...own,
    ...url.searchParams.values(),
    ...[authorization, ...Object.values(signed)].flatMap(secretsInHeader),
  ]
    .filter((secret) => secret.length > 3)
    .sort((a, b) => b.length - a.length);
}

/** `Basic …` holds a user and a password; the key of some APIs is the user. */
function secretsInHeader(value: string): string[] {
  const [scheme = '', credentials = ''] = value.split(' ', 2);
  return scheme.toLowerCase() === 'basic'
    ? [
        ...[value, credentials],
        ...Buffer.from(credentials, 'base64').toString().split(':'),
      ]
    : [value, credentials];
}

function given<T extends object>(part: T | undefined): Partial<T> {
  return Object.fromEntries(
    Object.entries(part ?? {}).filter(([, value]) => value !== undefined),
  ) as Partial<T>;
}

function lowerCased(
  headers: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

function userOf(url: URL): HttpAuth | undefined {
  return url.username === ''
    ? undefined
    : {
        basic: {
          username: decodeURIComponent(url.username),
          password: decodeURIComponent(url.password),
        },
      };
}
