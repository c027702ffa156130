import type { JsonObject, JsonValue } from '../core/json.js';
import type { Processor } from '../core/processor.js';
import { isRecord } from '../core/options.js';
import { named, readArguments } from './named.js';

export interface StripNullsOptions {
  /** Whether empty texts, objects and arrays go too, and what becomes empty by it. Default: false. */
  readonly empty?: boolean;
}

/**
 * Leaves out the keys of data and context whose value is `null`, at every level: for destinations that take a `null` for a
 * value. Elements of arrays stay where they are, so that positions keep their meaning; `0` and `false` are values.
 *
 * @throws TrackingError `invalid_options`
 */
export function stripNulls(options: StripNullsOptions = {}): Processor {
  const isVoid = readArguments('stripNulls', (problems) => {
    if (!isRecord(options)) {
      problems.add('options', 'an object', options);
      return isNull;
    }
    problems.onlyKeys('', options, ['empty']);
    problems.optional(options['empty'], (value) => {
      problems.boolean('empty', value);
    });
    return options['empty'] === true ? isEmpty : isNull;
  });
  return named('stripNulls', (event) => {
    const data = strippedObject(event.data, isVoid);
    const context = strippedObject(event.context, isVoid);
    return data === event.data && context === event.context ? undefined : { ...event, data, context };
  });
}

type IsVoid = (value: JsonValue) => boolean;

function isNull(value: JsonValue): boolean {
  return value === null;
}

function isEmpty(value: JsonValue): boolean {
  return value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);
}

function stripped(value: JsonValue, isVoid: IsVoid): JsonValue {
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  if (!isArray(value)) {
    return strippedObject(value, isVoid);
  }
  const elements = value.map((element) => stripped(element, isVoid));
  return elements.some((element, index) => element !== value[index]) ? elements : value;
}

/** Answers the very same object when there is nothing to leave out. */
function strippedObject(object: JsonObject, isVoid: IsVoid): JsonObject {
  const before = Object.entries(object);
  const after = before
    .map(([key, value]) => [key, stripped(value, isVoid)] as const)
    .filter(([, value]) => !isVoid(value));
  const same = after.length === before.length && after.every(([key, value]) => value === object[key]);
  return same ? object : Object.fromEntries(after);
}

function isArray(value: JsonObject | readonly JsonValue[]): value is readonly JsonValue[] {
  return Array.isArray(value);
}
