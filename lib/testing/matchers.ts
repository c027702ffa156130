import type { TrackingEvent } from '../core/event.js';
import { isRecord } from '../core/options.js';
import { tally } from './describe-events.js';
import { partialMismatch, shown } from './mismatch.js';

/** More events than this in one message help nobody. */
const MAX_EVENTS_SHOWN = 5;

/** Where events are looked for: a memory backend, a probe, a collected request, or a list of them. */
export type TrackedSource = { readonly events: readonly TrackingEvent[] } | readonly TrackingEvent[];

/** What a matcher answers, in Jest's and Vitest's terms. */
export interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

/**
 * The matchers' types. Each framework is told once, in a `.d.ts` of the app's own:
 *
 * @example
 * // Jest: with '@jest/globals', or its global `expect` of '@types/jest'
 * import type { TrackingMatchers } from 'nestjs-tracking/testing';
 * declare module 'expect' {
 *   interface Matchers<R> extends TrackingMatchers<R> {}
 * }
 * declare global {
 *   namespace jest {
 *     interface Matchers<R> extends TrackingMatchers<R> {}
 *   }
 * }
 *
 * @example
 * // Vitest 3.2 and 4; where its Matchers have two parameters: Matchers<R, T> extends TrackingMatchers<R>
 * import 'vitest';
 * import type { TrackingMatchers } from 'nestjs-tracking/testing';
 * declare module 'vitest' {
 *   interface Matchers<T = any> extends TrackingMatchers<T> {}
 * }
 */
export interface TrackingMatchers<R> {
  /** Whether an event of this name was tracked whose payload holds at least this data. */
  toHaveTracked(name: string, data?: object): R;
  /** Whether exactly so many events of this name were tracked. */
  toHaveTrackedTimes(name: string, times: number): R;
  /** Whether one event happened in a context that holds at least this. */
  toHaveContext(context: object): R;
}

/**
 * Matchers for the `expect` of Jest and Vitest.
 *
 * @example
 * expect.extend(trackingMatchers);
 * expect(backend).toHaveTracked('order.created', { total: 4200 });
 * expect(backend).toHaveTrackedTimes('order.created', 1);
 * expect(backend.events[0]).toHaveContext({ user: { id: 'u-7' } });
 */
export const trackingMatchers = Object.freeze({
  toHaveTracked(received: unknown, name: string, data: object = {}): MatcherResult {
    const events = eventsOf('toHaveTracked', received);
    const named = events.filter((event) => event.name === name);
    const matching = named.filter((event) => partialMismatch(data, event.data, 'data') === undefined);
    const pass = matching.length > 0;
    const wanted = Object.keys(data).length === 0 ? '' : ` with data ${shown(data)}`;
    return {
      pass,
      message: () =>
        pass
          ? `expected ${shown(name)}${wanted} not to be tracked, but it was:\n${list(matching)}`
          : `expected ${shown(name)}${wanted} to be tracked, ${instead(events, named, data)}`,
    };
  },

  toHaveTrackedTimes(received: unknown, name: string, times: number): MatcherResult {
    const events = eventsOf('toHaveTrackedTimes', received);
    const count = events.filter((event) => event.name === name).length;
    const pass = count === times;
    return {
      pass,
      message: () =>
        `expected ${shown(name)} ${pass ? 'not ' : ''}to be tracked ${times} times, it was ${count} times; tracked: ${tally(events)}`,
    };
  },

  toHaveContext(received: unknown, context: object): MatcherResult {
    if (!isRecord(received) || !isRecord(received['context'])) {
      throw new TypeError(`toHaveContext looks at one tracking event, got ${shown(received)}`);
    }
    const actual = received['context'];
    const found = partialMismatch(context, actual, 'context');
    return {
      pass: found === undefined,
      message: () =>
        found === undefined
          ? `expected ${shown(received['name'])} not to happen in the context ${shown(context)}, but it did: ${shown(actual)}`
          : `expected ${shown(received['name'])} to happen in the context ${shown(context)}, but ${found}`,
    };
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

function instead(events: readonly TrackingEvent[], named: readonly TrackingEvent[], data: object): string {
  return named.length === 0
    ? `but it was not; tracked: ${tally(events)}`
    : `but it was with other data:\n${list(named, data)}`;
}

function list(events: readonly TrackingEvent[], expected?: object): string {
  const lines = events.slice(0, MAX_EVENTS_SHOWN).map(({ data }, i) => {
    const found = expected === undefined ? undefined : partialMismatch(expected, data, 'data');
    return `  ${i + 1}. ${shown(data)}${found === undefined ? '' : `: ${found}`}`;
  });
  const more = events.length - lines.length;
  return more === 0 ? lines.join('\n') : `${lines.join('\n')}\n  and ${more} more`;
}
