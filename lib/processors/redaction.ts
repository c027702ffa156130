import type { JsonObject, JsonValue } from '../core/json.js';
import type { PathStep } from './dotted-path.js';
import { EVERY } from './dotted-path.js';

/*
 * Takes values out of JSON.
 *
 * Invariants
 * - Every value that a path leads to is replaced, once, whether one path leads there or several.
 * - What no path leads to is handed on as the very same object, so that unchanged payloads are recognised.
 * - Only own keys are read, and only data properties written.
 */

/** What to redact at one place and below it: every path seen from there, merged. */
export interface Redaction {
  readonly whole: boolean;
  readonly children: ReadonlyMap<string, Redaction>;
  /** For the children without an entry of their own. */
  readonly others: Redaction | undefined;
}

/** What stands in a value's place; `undefined` leaves it out. */
export type Replacement = (value: JsonValue) => JsonValue | undefined;

export function planRedaction(paths: readonly (readonly PathStep[])[]): Redaction | undefined {
  if (paths.length === 0) {
    return undefined;
  }
  const children = new Map<string, Redaction>();
  for (const [step] of paths) {
    const plan =
      typeof step === 'string' && !children.has(step) ? planRedaction(below(paths, step)) : undefined;
    if (typeof step === 'string' && plan !== undefined) {
      children.set(step, plan);
    }
  }
  return {
    whole: paths.some(({ length }) => length === 0),
    children,
    others: planRedaction(below(paths, EVERY)),
  };
}

/** The rest of the paths that go on with a step; `*` goes on with every one. */
function below(paths: readonly (readonly PathStep[])[], step: PathStep): (readonly PathStep[])[] {
  return paths.filter(([first]) => first === step || first === EVERY).map(([, ...rest]) => rest);
}

/** Redacts below an object that itself stays. */
export function redactObject(object: JsonObject, redaction: Redaction, replacement: Replacement): JsonObject {
  const entries: [string, JsonValue][] = [];
  let changed = false;
  for (const [key, value] of Object.entries(object)) {
    const next = redactChild(key, value, redaction, replacement);
    changed ||= next !== value;
    if (next !== undefined) {
      entries.push([key, next]);
    }
  }
  return changed ? Object.fromEntries(entries) : object;
}

function redactArray(
  array: readonly JsonValue[],
  redaction: Redaction,
  replacement: Replacement,
): readonly JsonValue[] {
  const values = array.map((value, index) => redactChild(String(index), value, redaction, replacement));
  return values.some((value, index) => value !== array[index])
    ? values.filter((value) => value !== undefined)
    : array;
}

function redactChild(
  key: string,
  value: JsonValue,
  { children, others }: Redaction,
  replacement: Replacement,
): JsonValue | undefined {
  const redaction = children.get(key) ?? others;
  if (redaction === undefined) {
    return value;
  }
  if (redaction.whole) {
    return replacement(value);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return isArray(value)
    ? redactArray(value, redaction, replacement)
    : redactObject(value, redaction, replacement);
}

function isArray(value: JsonObject | readonly JsonValue[]): value is readonly JsonValue[] {
  return Array.isArray(value);
}
