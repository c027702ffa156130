import type { TrackingEvent } from '../core/event.js';
import type { JsonObject, JsonValue } from '../core/json.js';
import type { Problems } from '../core/options.js';

/** Every element of an array, every key of an object. */
export const EVERY = Symbol('*');
export type PathStep = string | typeof EVERY;

/** A way into an event: one of its fields, then keys and indexes. */
export type DottedPath = readonly [field: keyof TrackingEvent, ...PathStep[]];

const FIELDS: readonly (keyof TrackingEvent)[] = ['id', 'name', 'timestamp', 'data', 'context'];
/** A dot between two steps, not one that belongs to a key. */
const SEPARATOR = /(?<!\\)\./;

/**
 * Reads `data.items.*.price`. `*` is every element or key; a dot or `*` that is part of a key follows a backslash.
 *
 * @param option the option that holds it, for the problem
 */
export function parsePath(text: unknown, option: string, problems: Problems): DottedPath | undefined {
  const steps = typeof text === 'string' ? stepsOf(text) : [];
  if (steps.includes('') || !startsWithField(steps)) {
    problems.add(option, `a dotted path that starts with ${FIELDS.join(', ')}`, text);
    return undefined;
  }
  return steps;
}

function stepsOf(text: string): readonly PathStep[] {
  return text.split(SEPARATOR).map((step) => (step === '*' ? EVERY : step.replace(/\\([.*])/g, '$1')));
}

function startsWithField(steps: readonly PathStep[]): steps is readonly [keyof TrackingEvent, ...PathStep[]] {
  return (FIELDS as readonly (PathStep | undefined)[]).includes(steps[0]);
}

/** Whether a value at the path is as wanted; a path with `*` may lead to many. */
export function someAt(
  event: TrackingEvent,
  [field, ...steps]: DottedPath,
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
  if (typeof value !== 'object' || value === null) {
    return false;
  }
  if (step === EVERY) {
    return Object.values(value).some((child: JsonValue) => someBelow(child, steps, index + 1, test));
  }
  const child = childOf(value, step);
  return child !== undefined && someBelow(child, steps, index + 1, test);
}

/** Only what the event holds itself: neither `constructor` nor the `length` of an array. */
function childOf(value: JsonObject | readonly JsonValue[], key: string): JsonValue | undefined {
  return Object.hasOwn(value, key) && !(Array.isArray(value) && key === 'length')
    ? (value as JsonObject)[key]
    : undefined;
}
