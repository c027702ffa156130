import { describeValue, errorMessage } from '../core/describe.js';
import type { TrackingEvent } from '../core/event.js';
import type { JsonObject, JsonValue } from '../core/json.js';
import { DEFAULT_LIMITS } from '../core/limits.js';
import type { OptionReader } from '../core/options.js';
import {
  boolean,
  isRecord,
  mapOf,
  nonEmptyString,
  object,
  optional,
  readArguments,
  readOptions,
} from '../core/options.js';
import type { Processor } from '../core/processor.js';
import { sanitize } from '../core/sanitize.js';
import { isArray, isParent, mapChildren } from './event-tree.js';
import type { JsonParent } from './event-tree.js';

/*
 * Processors that change events to what one destination wants to see. They are not filters: what they cannot change goes
 * on as it is.
 */

/** Returns an event's new name, or `undefined` to keep the one it has. */
export type NameOf = (name: string, event: TrackingEvent) => string | undefined;

/**
 * Gives events other names, for one destination when it stands in a branch. What the map does not hold keeps its name.
 *
 * @param names new names by old ones, both exact, or a function
 * @throws TrackingError `invalid_options`
 */
export function rename(names: Readonly<Record<string, string>> | NameOf): Processor {
  const { names: nameOf } = readArguments('rename', { names }, { names: newNames });
  return function rename(event) {
    const name: unknown = nameOf(event.name, event);
    if (name === undefined || name === event.name) {
      return undefined;
    }
    if (typeof name !== 'string' || name === '') {
      throw new TypeError(`expected the new name to be a non-empty string, got ${describeValue(name)}`);
    }
    return { ...event, name };
  };
}

const newNames: OptionReader<NameOf> = (given, path, problems) => {
  if (typeof given === 'function') {
    return given as NameOf;
  }
  const names = mapOf('an object of new names, or a function', nonEmptyString)(given, path, problems);
  return (name) => names.get(name);
};

/** What every event gets. */
export interface Overrides {
  readonly name?: string;
  /** Merged over the event's own, shallowly. */
  readonly data?: object;
  /** Merged over the event's own, shallowly. */
  readonly context?: object;
}

/**
 * Sets a name, or keys of data or context, on every event. The values are read once.
 *
 * @example override({ data: { source: 'shop' }, context: { environment: 'production' } })
 * @throws TrackingError `invalid_options`, also for data that JSON cannot hold as it is
 */
export function override(overrides: Overrides): Processor {
  const { overrides: read } = readArguments('override', { overrides }, { overrides: overrideTable });
  const { name, data, context } = read;
  return function override(event) {
    return {
      ...event,
      ...(name === undefined ? {} : { name }),
      ...(data === undefined ? {} : { data: { ...event.data, ...data } }),
      ...(context === undefined ? {} : { context: { ...event.context, ...context } }),
    };
  };
}

/** An object that becomes the same in JSON: what would be lost from every event stops the boot. */
const jsonObject: OptionReader<JsonObject> = (given, path, problems) => {
  if (!isRecord(given)) {
    problems.add(path, 'an object', given);
    return {};
  }
  try {
    const { value, changes } = sanitize(given, DEFAULT_LIMITS);
    for (const change of changes) {
      problems.addLine(path, `expected plain JSON, but ${change}`);
    }
    return value;
  } catch (error) {
    problems.addLine(path, errorMessage(error));
    return {};
  }
};

const overrideTable = object({
  name: optional(nonEmptyString),
  data: optional(jsonObject),
  context: optional(jsonObject),
});

export interface StripNullsOptions {
  /** Whether empty strings, objects and arrays go too, and what becomes empty by it. Default: false. */
  readonly empty?: boolean;
}

/**
 * Leaves out the keys of data and context whose value is `null`, at every level: for destinations that take a `null` for a
 * value. Elements of arrays stay where they are, so that positions keep their meaning; `0` and `false` are values.
 *
 * @throws TrackingError `invalid_options`
 */
export function stripNulls(options: StripNullsOptions = {}): Processor {
  const { empty } = readOptions('the arguments of stripNulls() are wrong', options, stripNullsTable);
  const strip = <Parent extends JsonParent>(parent: Parent): Parent =>
    mapChildren(parent, (child) => {
      const stripped = isParent(child) ? strip(child) : child;
      const isVoid = stripped === null || (empty && isEmpty(stripped));
      return isVoid && !isArray(parent) ? undefined : stripped;
    });
  return function stripNulls(event) {
    const data = strip(event.data);
    const context = strip(event.context);
    return data === event.data && context === event.context ? undefined : { ...event, data, context };
  };
}

const stripNullsTable = object({ empty: optional(boolean, false) });

function isEmpty(value: JsonValue): boolean {
  return value === '' || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
}
