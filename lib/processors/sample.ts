import { describeValue } from '../core/describe.js';
import type { TrackingEvent } from '../core/event.js';
import type { JsonValue } from '../core/json.js';
import type { OptionReader } from '../core/options.js';
import { object, optional, readOptions, value } from '../core/options.js';
import type { Processor } from '../core/processor.js';
import { drop } from '../core/processor.js';
import { eventPath, isParent, someAt } from './event-tree.js';
import { namedFilter } from './named-filter.js';

/** What stays together in a sample. */
export type SampleKey = string | number | bigint | boolean | null | undefined;

export interface SampleOptions {
  /** The share to keep: 0 nothing, 1 everything. */
  readonly rate: number;
  /**
   * What decides: a dotted path (`context.user.id`) or a function. Default, and for an event without such a value: its id,
   * so that each event is decided on its own.
   */
  readonly by?: string | ((event: TrackingEvent) => SampleKey);
}

/**
 * A filter that keeps a share of the events. The same key always has the same fate, in every process and version; raising
 * the rate keeps everybody who was in. The others are dropped as `sampled`.
 *
 * @example sample({ rate: 0.1, by: 'context.user.id' })
 * @throws TrackingError `invalid_options`
 */
export function sample(options: SampleOptions): Processor {
  const { rate, by } = readOptions('the arguments of sample() are wrong', options, sampleOptions);
  return namedFilter('sample', (event) =>
    stableFraction(keyString(by?.(event)) ?? event.id) < rate ? undefined : drop('sampled'),
  );
}

/** A path leads to the first value that it finds; an object or array there stands for its JSON. */
const sampleKey: OptionReader<(event: TrackingEvent) => unknown> = (given, option, problems) => {
  if (typeof given === 'function') {
    return given as (event: TrackingEvent) => unknown;
  }
  const path = eventPath(given, option, problems);
  return (event) => {
    let key: JsonValue | undefined;
    someAt(event, path, (found) => {
      key = isParent(found) ? JSON.stringify(found) : found;
      return true;
    });
    return key;
  };
};

const sampleOptions = object({
  rate: value<number>(
    'a number from 0 to 1',
    (given) => typeof given === 'number' && given >= 0 && given <= 1,
  ),
  by: optional(sampleKey),
});

/** @throws TypeError for what a function must not return: an object, a promise */
function keyString(key: unknown): string | undefined {
  switch (typeof key) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(key);
    default:
      if (key === undefined || key === null) {
        return undefined;
      }
      throw new TypeError(
        `expected "by" to return a string, a number or a boolean, got ${describeValue(key)}`,
      );
  }
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const RANGE = 2 ** 32;

/**
 * A number from 0 up to but not 1 that depends on the string alone: FNV-1a over its UTF-16 units, then the final mix of
 * MurmurHash3, without which strings that differ at the end only would lie close together. It must never change: which
 * users are in a sample depends on it.
 */
function stableFraction(key: string): number {
  let hash = FNV_OFFSET;
  for (let i = 0; i < key.length; i++) {
    hash = Math.imul(hash ^ key.charCodeAt(i), FNV_PRIME);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / RANGE;
}
