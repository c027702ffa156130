import type { HttpAuth } from './auth.js';
import type { HttpSettings } from './http-settings.js';

type Headers = Readonly<Record<string, string>>;

/** What is shorter would turn up in any text. */
const MIN_LENGTH = 4;
/** Headers whose values are credentials. */
const CREDENTIAL_NAME = /auth|token|key|secret|sign|cookie|session|passw|credential|jwt/;
/** Other headers hold a tenant or a region, or a credential under a name of somebody's own: that has no pattern. */
const CREDENTIAL_VALUE = /^(?=.*\d)(?=.*[a-z])[\w.~+/=-]{16,}$/i;
const DATE = /^\d{4}-\d\d-\d\d/;

/**
 * A text as it may be shown: without credentials, which a destination may repeat in its answer.
 *
 * @param signed the headers with which a request was signed: functions answer others each time
 */
export function withoutSecrets(text: string, settings: HttpSettings, signed: Headers = {}): string {
  return secretsOf(settings, signed).reduce((all, secret) => all.replaceAll(secret, '***'), text);
}

/** Everything that must not be shown, in each form. The longest first: one may be a part of another. */
export function secretsOf({ url, auth, headers }: HttpSettings, signed: Headers = {}): string[] {
  const secrets = [
    ...secretsOfAuth(auth),
    ...url.searchParams.values(),
    ...[headers, signed].flatMap((some) => Object.entries(some).flatMap(secretsInHeader)),
  ].filter((secret) => secret.length >= MIN_LENGTH);
  return [...new Set(secrets.flatMap(formsOf))].sort((a, b) => b.length - a.length);
}

function secretsOfAuth(auth: HttpAuth | undefined): string[] {
  if (auth === undefined || typeof auth === 'function') {
    return [];
  }
  if ('basic' in auth) {
    return [auth.basic.username, auth.basic.password];
  }
  if ('bearer' in auth) {
    return [auth.bearer];
  }
  return 'apiKey' in auth ? [auth.apiKey.key] : [auth.hmac.secret];
}

function secretsInHeader([name, value]: [string, string]): string[] {
  const isCredential =
    CREDENTIAL_NAME.test(name.toLowerCase()) || (CREDENTIAL_VALUE.test(value) && !DATE.test(value));
  if (!isCredential) {
    return [];
  }
  if (/cookie/i.test(name)) {
    return value.split('; ').map((one) => one.slice(one.indexOf('=') + 1));
  }
  const [, scheme = '', credentials = value] = /^([\w-]+) +(.*)$/.exec(value) ?? [];
  return scheme.toLowerCase() === 'basic'
    ? [value, credentials, ...userAndPassword(credentials)]
    : [value, credentials];
}

/** The key of some APIs is the user. */
function userAndPassword(credentials: string): string[] {
  const text = Buffer.from(credentials, 'base64').toString();
  const at = text.indexOf(':');
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** As it is, and as it stands in a URL or in JSON. */
function formsOf(secret: string): string[] {
  // Half a character has no form in a URL.
  const whole = Buffer.from(secret).toString();
  return [secret, encodeURIComponent(whole), JSON.stringify(secret).slice(1, -1)];
}
