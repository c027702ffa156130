import { isRecord } from '../core/options.js';

/** What `expect.any`, `expect.stringContaining` and their like are, in every test framework. */
interface AsymmetricMatcher {
  asymmetricMatch(value: unknown): boolean;
}

const MAX_SHOWN = 200;

/**
 * Where a value differs from what is expected of it, or `undefined` when it does not. Keys that are not expected may be
 * there, at every level; lists have the expected length. A `Date` equals its ISO text, as in an event.
 *
 * @param path how the message calls the value: `data`
 */
export function partialMismatch(expected: unknown, actual: unknown, path: string): string | undefined {
  return mismatch(expected, actual, path, false);
}

/** The same for values that may hold nothing beside what is expected. */
export function exactMismatch(expected: unknown, actual: unknown, path: string): string | undefined {
  return mismatch(expected, actual, path, true);
}

function mismatch(expected: unknown, actual: unknown, path: string, exact: boolean): string | undefined {
  if (isAsymmetric(expected)) {
    return expected.asymmetricMatch(actual)
      ? undefined
      : `${path} is ${shown(actual)}, not ${shown(expected)}`;
  }
  if (Array.isArray(expected) && Array.isArray(actual)) {
    return lists(expected, actual, path, exact);
  }
  if (expected instanceof Date) {
    return mismatch(expected.toJSON(), actual, path, exact);
  }
  if (isRecord(expected) && isRecord(actual)) {
    return records(expected, actual, path, exact);
  }
  return Object.is(expected, actual) ? undefined : `${path} is ${shown(actual)}, not ${shown(expected)}`;
}

function lists(
  expected: readonly unknown[],
  actual: readonly unknown[],
  path: string,
  exact: boolean,
): string | undefined {
  if (expected.length !== actual.length) {
    return `${path} has ${actual.length} elements, not ${expected.length}`;
  }
  return first(expected, (value, i) => mismatch(value, actual[i], `${path}[${i}]`, exact));
}

function records(
  expected: Record<string, unknown>,
  actual: Record<string, unknown>,
  path: string,
  exact: boolean,
): string | undefined {
  const keys = Object.keys(expected);
  const unexpected = exact ? Object.keys(actual).find((key) => !Object.hasOwn(expected, key)) : undefined;
  return unexpected === undefined
    ? first(keys, (key) => mismatch(expected[key], ownValue(actual, key), `${path}.${key}`, exact))
    : `${path}.${unexpected} is there and should not be`;
}

function first<T>(
  items: readonly T[],
  find: (item: T, index: number) => string | undefined,
): string | undefined {
  for (const [i, item] of items.entries()) {
    const found = find(item, i);
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}

function ownValue(record: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function isAsymmetric(value: unknown): value is AsymmetricMatcher {
  return isRecord(value) && typeof value['asymmetricMatch'] === 'function';
}

/** A value as a message shows it: at most 200 characters of JSON. */
export function shown(value: unknown): string {
  const text = isAsymmetric(value) ? matcherName(value) : jsonOf(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

function jsonOf(value: unknown): string {
  try {
    // Not everything has a JSON: undefined and functions do not.
    const text = JSON.stringify(value) as string | undefined;
    return text ?? String(value);
  } catch {
    return String(value);
  }
}

function matcherName(matcher: AsymmetricMatcher): string {
  const { toAsymmetricMatcher } = matcher as {
    toAsymmetricMatcher?: () => unknown;
  };
  return typeof toAsymmetricMatcher === 'function'
    ? String(toAsymmetricMatcher.call(matcher))
    : 'what the matcher expects';
}
