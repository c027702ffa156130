import type { TrackingEvent } from '../core/event.js';
import type { JsonObject, JsonValue } from '../core/json.js';
import type { OptionReader } from '../core/options.js';

/*
 * An event as a tree of JSON: paths into it, and copies of it with other values in some places.
 */

/** Every element of an array, every key of an object. */
export const EVERY = Symbol('*');
export type PathStep = string | typeof EVERY;

/** A path into an event: one of its fields, then keys and indexes. */
export type EventPath = readonly [field: keyof TrackingEvent, ...PathStep[]];

/** A dot between two steps, not one that is part of a key. */
const SEPARATOR = /(?<!\\)\./;
const ESCAPED = /\\([.*[\]\s])/g;
/** `**`, `user*`, `items[0]`, a space beside a dot: meant to be a pattern, or a slip, and as a key never found. */
const NOT_A_KEY = /(?<!\\)[*[\]]|^\s|(?<!\\)\s$/;
const STEPS = 'a path whose steps are keys, indexes or "*" alone; in a key, a "\\" stands before . * [ ]';

/**
 * Reads `data.items.*.price`: `*` is every element or key; a backslash makes `.`, `*`, `[`, `]` and outer spaces part of a
 * key. A path that leads nowhere in any event is refused, as a filter that never finds anything protects nothing.
 */
export const eventPath = pathReader(
  'id, name, timestamp, data, context or a dotted path below data or context',
  /^(?:id|name|timestamp|data|context)$|^(?:data|context)\./,
);

/** The same, but only for what is inside data or context. */
export const innerPath = pathReader('a dotted path below data or context', /^(?:data|context)\./);

function pathReader(expected: string, start: RegExp): OptionReader<EventPath> {
  return (given, path, problems) => {
    const isRight = typeof given === 'string' && start.test(given);
    const steps = isRight ? given.split(SEPARATOR) : [];
    if (!isRight || !steps.every(isStep)) {
      problems.add(path, isRight ? STEPS : expected, given);
    }
    const read = steps.map((step) => (step === '*' ? EVERY : step.replace(ESCAPED, '$1')));
    return read as readonly PathStep[] as EventPath;
  };
}

/** No event holds a key `__proto__`. */
function isStep(step: string): boolean {
  return step === '*' || (step !== '' && step !== '__proto__' && !NOT_A_KEY.test(step));
}

/** Whether a value at the path passes the test; a path with `*` may lead to many. */
export function someAt(
  event: TrackingEvent,
  [field, ...steps]: EventPath,
  test: (value: JsonValue) => boolean,
): boolean {
  return someBelow(event[field], steps, 0, test);
}

function someBelow(
  value: JsonValue,
  steps: readonly PathStep[],
  index: number,
  test: (value: JsonValue) => boolean,
): boolean {
  const step = steps[index];
  if (step === undefined) {
    return test(value);
  }
  if (!isParent(value)) {
    return false;
  }
  if (step === EVERY) {
    return Object.values(value).some((child: JsonValue) => someBelow(child, steps, index + 1, test));
  }
  // Only what the event holds itself: neither `constructor` nor the `length` of an array.
  return (
    Object.hasOwn(value, step) &&
    !(isArray(value) && step === 'length') &&
    someBelow((value as JsonObject)[step] as JsonValue, steps, index + 1, test)
  );
}

/** A value that has children. */
export type JsonParent = JsonObject | readonly JsonValue[];

export function isParent(value: JsonValue): value is JsonParent {
  return typeof value === 'object' && value !== null;
}

export function isArray(value: JsonParent): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/**
 * A copy with other children; `undefined` leaves one out. Returns the very same object when nothing changes, so that
 * unchanged payloads are recognised. Only own keys are read, and only data properties written.
 */
export function mapChildren<Parent extends JsonParent>(
  parent: Parent,
  map: (child: JsonValue, key: string) => JsonValue | undefined,
): Parent {
  let changed = false;
  const entries: [string, JsonValue][] = [];
  for (const [key, child] of Object.entries<JsonValue>(parent as JsonObject)) {
    const next = map(child, key);
    changed ||= next !== child;
    if (next !== undefined) {
      entries.push([key, next]);
    }
  }
  if (!changed) {
    return parent;
  }
  const copy = isArray(parent) ? entries.map(([, child]) => child) : Object.fromEntries(entries);
  return copy as JsonParent as Parent;
}
