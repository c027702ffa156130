import { describeValue } from '../core/describe.js';
import { isRecord } from '../core/options.js';

/** Longest name, in bytes of UTF-8: a key of every store has room for two. */
export const MAX_NAME_BYTES = 512;

const NO_OPTIONS: object = Object.freeze({});
const LONE_SURROGATE = /\p{Surrogate}/u;
/** No character takes more bytes. */
const MAX_BYTES_PER_UNIT = 3;

export function wrongType(option: string, expected: string, given: unknown): TypeError {
  return new TypeError(message(option, expected, given));
}

export function outOfRange(option: string, expected: string, given: unknown): RangeError {
  return new RangeError(message(option, expected, given));
}

function message(option: string, expected: string, given: unknown): string {
  return `expected ${option} to be ${expected}, got ${describeValue(given)}`;
}

/** @throws TypeError or RangeError */
export function readName(option: string, value: unknown): string {
  if (typeof value !== 'string') {
    throw wrongType(option, 'a non-empty string', value);
  }
  if (value === '') {
    throw outOfRange(option, 'a non-empty string', value);
  }
  if (value.length * MAX_BYTES_PER_UNIT > MAX_NAME_BYTES && Buffer.byteLength(value) > MAX_NAME_BYTES) {
    throw outOfRange(option, `at most ${MAX_NAME_BYTES} bytes long`, value);
  }
  if (LONE_SURROGATE.test(value)) {
    throw outOfRange(option, 'well-formed Unicode', value);
  }
  return value;
}

/** Reads an iterable once, so that generators can be given too. */
export function readNames(option: string, value: unknown): readonly string[] {
  if (typeof value === 'string') {
    return [readName(option, value)];
  }
  if (!isIterable(value)) {
    throw wrongType(option, 'a name or an iterable of names', value);
  }
  return Array.from(value, (name, index) => readName(`${option}[${index}]`, name));
}

export function readCounters(
  option: string,
  value: unknown,
): readonly { readonly subject: string; readonly metric: string }[] {
  const expected = 'an iterable of [subject, metric]';
  if (typeof value === 'string' || !isIterable(value)) {
    throw wrongType(option, expected, value);
  }
  return Array.from(value, (pair: unknown, index) => {
    const at = `${option}[${index}]`;
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw wrongType(at, '[subject, metric]', pair);
    }
    const [subject, metric] = pair as unknown[];
    return {
      subject: readName(`${at}[0]`, subject),
      metric: readName(`${at}[1]`, metric),
    };
  });
}

export function readInteger(option: string, value: unknown): number {
  const expected = 'a safe integer';
  if (typeof value !== 'number') {
    throw wrongType(option, expected, value);
  }
  if (!Number.isSafeInteger(value)) {
    throw outOfRange(option, expected, value);
  }
  // Stores know no -0.
  return value + 0;
}

/** Nothing given is an empty object; what is no option is refused, most often it is a typing mistake. */
export function readOptions<Key extends string>(
  option: string,
  value: unknown,
  known: readonly Key[],
): Readonly<Partial<Record<Key, unknown>>> {
  if (value === undefined) {
    return NO_OPTIONS as Partial<Record<Key, unknown>>;
  }
  if (!isRecord(value)) {
    throw wrongType(option, 'an object', value);
  }
  for (const key in value) {
    if (!(known as readonly string[]).includes(key)) {
      throw new TypeError(`${key} is not an option; known are ${known.join(', ')}`);
    }
  }
  return value as Partial<Record<Key, unknown>>;
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { [Symbol.iterator]?: unknown })[Symbol.iterator] === 'function'
  );
}
