import type { TrackingEvent } from '../core/event.js';
import type { JsonValue } from '../core/json.js';
import type { Processor } from '../core/processor.js';
import { drop, filter } from '../core/processor.js';
import { describeValue } from '../core/describe.js';
import type { Problems } from '../core/options.js';
import { isRecord } from '../core/options.js';
import { parsePath, someAt } from './dotted-path.js';
import { named, readArguments } from './named.js';
import { stableFraction } from './stable-hash.js';

/** What stays together in a sample. */
export type SampleKey = string | number | bigint | boolean | null | undefined;

export interface SampleOptions {
  /** The share to keep: 0 nothing, 1 everything. */
  readonly rate: number;
  /**
   * What decides: a dotted path (`context.user.id`) or a function. Default, and where there is nothing: the id of the event,
   * so that each is decided on its own.
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
  const { rate, keyOf } = readArguments('sample', (problems) => readOptions(options, problems));
  return named(
    'sample',
    filter((event) =>
      stableFraction(keyText(keyOf(event)) ?? event.id) < rate ? undefined : drop('sampled'),
    ),
  );
}

type KeyOf = (event: TrackingEvent) => unknown;

/** @throws TypeError for what a function must not answer: an object, a promise */
function keyText(key: unknown): string | undefined {
  switch (typeof key) {
    case 'string':
      return key;
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(key);
    default:
      if (key === undefined || key === null) {
        return undefined;
      }
      throw new TypeError(`expected "by" to answer a text, a number or a boolean, got ${describeValue(key)}`);
  }
}

function readOptions(
  options: SampleOptions,
  problems: Problems,
): { readonly rate: number; readonly keyOf: KeyOf } {
  if (!isRecord(options)) {
    problems.add('options', 'an object', options);
    return { rate: 0, keyOf: ownId };
  }
  problems.onlyKeys('', options, ['rate', 'by']);
  const { rate, by } = options as SampleOptions;
  if (typeof rate !== 'number' || !(rate >= 0 && rate <= 1)) {
    problems.add('rate', 'a number from 0 to 1', rate);
  }
  return { rate, keyOf: by === undefined ? ownId : readKey(by, problems) };
}

function ownId({ id }: TrackingEvent): string {
  return id;
}

function readKey(by: unknown, problems: Problems): KeyOf {
  if (typeof by === 'function') {
    return by as KeyOf;
  }
  const path = parsePath(by, 'by', problems);
  if (path === undefined) {
    return ownId;
  }
  return (event) => {
    let key: JsonValue | undefined;
    someAt(event, path, (value) => {
      key = isRecord(value) || Array.isArray(value) ? JSON.stringify(value) : value;
      return true;
    });
    return key;
  };
}
