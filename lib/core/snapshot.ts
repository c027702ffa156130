import type { JsonObject, JsonValue } from './json.js';
import { EMPTY_OBJECT } from './json.js';

/*
 * Makes frozen JSON of anything, and says what it had to change.
 *
 * Invariants
 * - The result shares nothing with the input and is frozen all the way down.
 * - It never throws but for TOO_LARGE: getters, proxies and `toJSON` may throw, the values beside them survive.
 * - The work is bounded: by depth, and by size before anything is written.
 * - No key `__proto__`, own or inherited, ever reaches the result.
 */

/** Thrown, never shown: made once, so that throwing costs no stack trace. */
export const TOO_LARGE = new (class TooLarge extends Error {})('too large');

/** How an unusual value appears in an event. */
const CIRCULAR = '[Circular]';
const TOO_DEEP = '[Too deep]';
const UNREADABLE = '[Unreadable]';
/** A list of changes longer than this helps nobody. */
const MAX_CHANGES = 10;

export interface SnapshotLimits {
  readonly maxBytes: number;
  readonly maxDepth: number;
}

export interface Snapshot {
  readonly value: JsonObject;
  /** What JSON could not hold, as `path: what happened`; empty when the input was JSON already. */
  readonly changes: readonly string[];
}

const NO_CHANGES: readonly string[] = Object.freeze([]);

/** Snapshots an event's payload or a context's data. What is no object is kept under the key `value`. */
export function snapshot(input: unknown, limits: SnapshotLimits): Snapshot {
  if (input === undefined || input === null) {
    return { value: EMPTY_OBJECT, changes: NO_CHANGES };
  }
  const run = new SnapshotRun(limits);
  const json = run.value(input, '', 0);
  const changes = run.changes ?? NO_CHANGES;
  if (isJsonObject(json)) {
    return { value: json, changes };
  }
  return {
    value: Object.freeze(json === undefined ? {} : { value: json }),
    changes: [`expected an object, got ${describe(typeof input === 'object' ? json : input)}`, ...changes],
  };
}

function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Objects are described by the JSON they became: a proxy may throw at every look. */
function describe(value: unknown): string {
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}

/** Also of another realm: a test runner's, or that of Node's own errors inside one. */
function isError(value: object): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
}

class SnapshotRun {
  changes: string[] | undefined;
  private size = 0;
  private readonly ancestors: object[] = [];

  constructor(private readonly limits: SnapshotLimits) {}

  /** Answers `undefined` for what an object leaves out: `undefined`, functions and symbols. */
  value(input: unknown, path: string, depth: number): JsonValue | undefined {
    switch (typeof input) {
      case 'string':
        this.grow(input.length);
        return input;
      case 'number':
        this.grow(1);
        // JSON knows no -0.
        return Number.isFinite(input) ? input + 0 : this.changed(path, `${String(input)} became null`, null);
      case 'boolean':
        this.grow(4);
        return input;
      case 'bigint':
        return this.changed(path, 'a BigInt became a string', this.bigint(input));
      case 'undefined':
        return undefined;
      case 'object':
        return input === null ? null : this.guarded(input, path, depth + 1);
      default:
        this.changed(path, `a ${typeof input} was left out`, null);
        return undefined;
    }
  }

  private guarded(input: object, path: string, depth: number): JsonValue | undefined {
    if (depth > this.limits.maxDepth) {
      return this.changed(path, 'what lies too deep was cut', TOO_DEEP);
    }
    if (this.ancestors.includes(input)) {
      return this.changed(path, 'a cycle was cut', CIRCULAR);
    }
    this.ancestors.push(input);
    try {
      return this.container(input, path, depth);
    } catch (error) {
      if (error === TOO_LARGE) {
        throw error;
      }
      return this.changed(path, 'reading it threw', UNREADABLE);
    } finally {
      this.ancestors.pop();
    }
  }

  private container(input: object, path: string, depth: number): JsonValue | undefined {
    if (Array.isArray(input)) {
      return this.array(input, path, depth);
    }
    if (input instanceof Date) {
      this.grow(24);
      return Number.isNaN(input.getTime())
        ? this.changed(path, 'an invalid date became null', null)
        : input.toISOString();
    }
    const toJson = (input as { toJSON?: unknown }).toJSON;
    if (typeof toJson === 'function') {
      const json: unknown = toJson.call(input, '');
      // Some answer themselves, which JSON.stringify takes as they are.
      return json === input ? this.object(input, path, depth) : this.value(json, path, depth);
    }
    if (input instanceof Map) {
      const entries = [...(input as Map<unknown, unknown>)].map(
        ([key, item]) => [String(key), item] as const,
      );
      return this.changed(
        path,
        'a Map became an object',
        this.object(Object.fromEntries(entries), path, depth),
      );
    }
    if (input instanceof Set) {
      return this.changed(path, 'a Set became an array', this.array([...input], path, depth));
    }
    if (isError(input)) {
      const { name, message } = input;
      return this.changed(
        path,
        'an Error became its name, message and own fields',
        this.object({ ...(input as object), name, message }, path, depth),
      );
    }
    if (input instanceof Number || input instanceof String || input instanceof Boolean) {
      return this.value(input.valueOf(), path, depth);
    }
    return this.object(input, path, depth);
  }

  private object(input: object, path: string, depth: number): JsonObject {
    this.grow(2);
    const result: Record<string, JsonValue> = {};
    for (const key of Object.keys(input)) {
      if (key === '__proto__') {
        this.changed(path, 'a key __proto__ was left out', undefined);
        continue;
      }
      this.grow(key.length + 4);
      const at = path === '' ? key : `${path}.${key}`;
      const value = this.property(input as Record<string, unknown>, key, at, depth);
      if (value !== undefined) {
        result[key] = value;
      }
    }
    return Object.freeze(result);
  }

  private property(
    input: Record<string, unknown>,
    key: string,
    path: string,
    depth: number,
  ): JsonValue | undefined {
    let child: unknown;
    try {
      child = input[key];
    } catch {
      return this.changed(path, 'reading it threw', UNREADABLE);
    }
    return this.value(child, path, depth);
  }

  private array(input: readonly unknown[], path: string, depth: number): readonly JsonValue[] {
    this.grow(2);
    const result: JsonValue[] = [];
    for (let i = 0; i < input.length; i++) {
      this.grow(1);
      const at = `${path}[${i}]`;
      const value = this.value(input[i], at, depth);
      if (value === undefined) {
        this.changed(at, 'what an array cannot leave out became null', null);
      }
      result.push(value ?? null);
    }
    return Object.freeze(result);
  }

  private bigint(input: bigint): string {
    const text = input.toString();
    this.grow(text.length);
    return text;
  }

  private changed<T>(path: string, what: string, result: T): T {
    const changes = (this.changes ??= []);
    if (changes.length < MAX_CHANGES) {
      changes.push(path === '' ? what : `${path}: ${what}`);
    }
    return result;
  }

  /** Counts characters: never more than the bytes they take, so nothing is refused here that would have fitted. */
  private grow(size: number): void {
    this.size += size;
    if (this.size > this.limits.maxBytes) {
      throw TOO_LARGE;
    }
  }
}
