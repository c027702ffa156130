import { inspect } from 'node:util';
import type { TrackingEvent } from '../core/event.js';
import { isRecord } from '../core/options.js';
import { tally } from './memory-backend.js';

const MAX_EVENTS_SHOWN = 5;
const MAX_VALUE_LENGTH = 200;

/** Where events are looked for: a memory backend, a probe, a collected request, or a list of them. */
export type TrackedSource = { readonly events: readonly TrackingEvent[] } | readonly TrackingEvent[];

/** What a matcher returns to Jest and Vitest. */
export interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

/** The matchers' types, for the `declare module` of Jest or Vitest: see "Testing" in the README. */
export interface TrackingMatchers<R> {
  /** Whether an event of this name was tracked whose payload holds at least this data. */
  toHaveTracked(name: string, data?: object): R;
  /** Whether exactly so many events of this name were tracked. */
  toHaveTrackedTimes(name: string, times: number): R;
  /** Whether one event happened in a context that holds at least this. */
  toHaveContext(context: object): R;
}

/** Matchers for the `expect` of Jest and Vitest: `expect.extend(trackingMatchers)`. */
export const trackingMatchers = Object.freeze({
  toHaveTracked(received: unknown, name: string, data: object = {}): MatcherResult {
    const events = eventsOf('toHaveTracked', received);
    const named = events.filter((event) => event.name === name);
    const matching = named.filter((event) => mismatch(data, event.data, 'data') === undefined);
    const wanted = `expected ${shown(name)}${Object.keys(data).length === 0 ? '' : ` with data ${shown(data)}`}`;
    const instead = (): string =>
      named.length === 0 ? `not; tracked: ${tally(events)}` : `with other data:\n${list(named, data)}`;
    return matching.length > 0
      ? { pass: true, message: () => `${wanted} not to be tracked, but it was:\n${list(matching, data)}` }
      : { pass: false, message: () => `${wanted} to be tracked, but it was ${instead()}` };
  },

  toHaveTrackedTimes(received: unknown, name: string, times: number): MatcherResult {
    const events = eventsOf('toHaveTrackedTimes', received);
    const count = events.filter((event) => event.name === name).length;
    const pass = count === times;
    const expectation = `expected ${shown(name)} ${pass ? 'not ' : ''}to be tracked ${times} times`;
    return { pass, message: () => `${expectation}, it was ${count} times; tracked: ${tally(events)}` };
  },

  toHaveContext(received: unknown, context: object): MatcherResult {
    const actual = isRecord(received) ? received['context'] : undefined;
    if (!isRecord(received) || !isRecord(actual)) {
      throw new TypeError(`toHaveContext looks at one tracking event, got ${shown(received)}`);
    }
    const difference = mismatch(context, actual, 'context');
    const pass = difference === undefined;
    const expectation = `expected ${shown(received['name'])} ${pass ? 'not ' : ''}to happen in the context ${shown(context)}`;
    return { pass, message: () => `${expectation}, but ${difference ?? `it did: ${shown(actual)}`}` };
  },
});

function eventsOf(matcher: string, received: unknown): readonly TrackingEvent[] {
  const events = isRecord(received) ? received['events'] : received;
  if (!Array.isArray(events)) {
    throw new TypeError(
      `${matcher} looks at a memory backend, a probe or a list of events, got ${shown(received)}`,
    );
  }
  return events as readonly TrackingEvent[];
}

/** The data of events, and where they differ from what is expected. */
function list(events: readonly TrackingEvent[], expected: object): string {
  const lines = events.slice(0, MAX_EVENTS_SHOWN).map(({ data }, i) => {
    const difference = mismatch(expected, data, 'data');
    return `  ${i + 1}. ${shown(data)}${difference === undefined ? '' : `: ${difference}`}`;
  });
  const more = events.length - lines.length;
  return [...lines, ...(more === 0 ? [] : [`  and ${more} more`])].join('\n');
}

/** What `expect.any`, `expect.stringContaining` and their like are, in every test framework. */
interface AsymmetricMatcher {
  asymmetricMatch(value: unknown): boolean;
  toAsymmetricMatcher?(): string;
}

function isAsymmetric(value: unknown): value is AsymmetricMatcher {
  return isRecord(value) && typeof value['asymmetricMatch'] === 'function';
}

/**
 * Where a value differs from what is expected of it, or `undefined` when it does not. Keys that are not expected may be
 * there, at every level; lists have the expected length. A `Date` equals its ISO string, as in an event.
 *
 * @param path how the message calls the value: `data`
 */
export function mismatch(expected: unknown, actual: unknown, path: string): string | undefined {
  const wanted = expected instanceof Date ? expected.toJSON() : expected;
  if (isAsymmetric(wanted) ? wanted.asymmetricMatch(actual) : Object.is(wanted, actual)) {
    return undefined;
  }
  const areLists = Array.isArray(wanted) && Array.isArray(actual);
  if (areLists && wanted.length !== actual.length) {
    return `${path} has ${actual.length} elements, not ${wanted.length}`;
  }
  if (!areLists && (isAsymmetric(wanted) || !isRecord(wanted) || !isRecord(actual))) {
    return `${path} is ${shown(actual)}, not ${shown(wanted)}`;
  }
  const found = new Map(Object.entries(actual as object));
  for (const [key, value] of Object.entries(wanted as object)) {
    const difference = mismatch(value, found.get(key), areLists ? `${path}[${key}]` : `${path}.${key}`);
    if (difference !== undefined) {
      return difference;
    }
  }
  return undefined;
}

/** A value as a message shows it: at most 200 characters, of JSON where there is one. */
function shown(value: unknown): string {
  const replaced = (_: string, one: unknown): unknown =>
    isAsymmetric(one) ? (one.toAsymmetricMatcher?.() ?? 'what the matcher expects') : one;
  let string: string | undefined;
  try {
    const whole = replaced('', value);
    string = whole === value ? JSON.stringify(value, replaced) : String(whole);
  } catch {
    // A cycle, or a bigint.
  }
  string ??= inspect(value, { breakLength: Infinity });
  return string.length > MAX_VALUE_LENGTH ? `${string.slice(0, MAX_VALUE_LENGTH)}…` : string;
}
