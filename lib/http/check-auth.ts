import type { Problems } from '../core/options.js';
import { isRecord } from '../core/options.js';
import { isHeaderName, isHeaderValue } from './header-names.js';

const KINDS: readonly string[] = ['basic', 'bearer', 'apiKey', 'hmac'];

/** Values are not shown: they are secrets. */
export function checkAuth(problems: Problems, auth: unknown): void {
  if (typeof auth === 'function') {
    return;
  }
  const [kind = '', ...others] = isRecord(auth) ? Object.keys(auth) : [];
  if (!isRecord(auth) || others.length > 0 || !KINDS.includes(kind)) {
    problems.addLine('auth', 'expected a function or one of { basic }, { bearer }, { apiKey }, { hmac }');
    return;
  }
  const path = `auth.${kind}`;
  const value = auth[kind];
  if (kind === 'bearer') {
    checkHeaderText(problems, path, value);
  } else if (!isRecord(value)) {
    problems.addLine(path, 'expected an object');
  } else if (kind === 'basic') {
    checkBasic(problems, value);
  } else {
    checkHeader(problems, path, value, kind === 'apiKey' ? 'key' : 'secret');
  }
}

function checkBasic(problems: Problems, basic: Readonly<Record<string, unknown>>): void {
  const { username, password } = basic;
  problems.onlyKeys('auth.basic', basic, ['username', 'password']);
  checkText(problems, 'auth.basic.username', username);
  // APIs that know a key alone take it as the user, with an empty password.
  if (!isOneLine(password)) {
    problems.addLine('auth.basic.password', 'expected a text on one line');
  }
}

function checkHeader(
  problems: Problems,
  path: string,
  value: Readonly<Record<string, unknown>>,
  secretName: 'key' | 'secret',
): void {
  const { [secretName]: secret, header } = value;
  problems.onlyKeys(path, value, [secretName, 'header']);
  // A key stands in its header; a secret does not.
  const check = secretName === 'key' ? checkHeaderText : checkText;
  check(problems, `${path}.${secretName}`, secret);
  problems.optional(header, () => {
    if (!isHeaderName(header)) {
      problems.addLine(`${path}.header`, 'expected the name of a header');
    }
  });
}

function isOneLine(value: unknown): value is string {
  return typeof value === 'string' && !/[\r\n\0]/.test(value);
}

function checkText(problems: Problems, path: string, value: unknown): void {
  if (!isOneLine(value) || value === '') {
    problems.addLine(path, 'expected a non-empty text on one line');
  }
}

function checkHeaderText(problems: Problems, path: string, value: unknown): void {
  if (!isHeaderValue(value) || value === '') {
    problems.addLine(path, 'expected a non-empty text of Latin 1 on one line');
  }
}
