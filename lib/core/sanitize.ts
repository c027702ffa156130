import type { JsonObject, JsonValue } from './json.js';
import { isThenable } from './thenable.js';

/*
 * Makes plain JSON of anything, and says what it had to change.
 *
 * Invariants
 * - The result shares nothing with the input, so that nobody can change it afterwards.
 * - Every property is read once.
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
/** More changes than this are not listed. */
const MAX_CHANGES = 10;

export interface SanitizeLimits {
  readonly maxBytes: number;
  readonly maxDepth: number;
}

export interface Sanitized {
  readonly value: JsonObject;
  /** What JSON could not hold, as `path: what happened`; empty when the input was JSON already. */
  readonly changes: readonly string[];
}

/**
 * Sanitizes an event's payload or a context's data. What is not an object is kept under the key `value`.
 *
 * @throws TOO_LARGE
 */
export function sanitize(input: unknown, limits: SanitizeLimits): Sanitized {
  const run = new Sanitizer(limits);
  const value = run.root(input);
  return { value, changes: run.changes };
}

const NO_CHANGES: readonly string[] = Object.freeze([]);

class Sanitizer {
  changes = NO_CHANGES;
  private size = 0;
  /** The containers around the value being read, and where each stands in the one before. */
  private readonly ancestors: object[] = [];
  private readonly path: (string | number)[] = [];

  constructor(private readonly limits: SanitizeLimits) {}

  root(input: unknown): JsonObject {
    if (input === undefined || input === null) {
      return {};
    }
    const json = this.value(input, '');
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) {
      return json as JsonObject;
    }
    // Objects are described by the JSON they became: a proxy may throw at every look.
    const what = typeof input === 'object' ? json : input;
    const problem = `expected an object, got ${Array.isArray(what) ? 'an array' : `a ${typeof what}`}`;
    this.changes = [problem, ...this.changes];
    return json === undefined ? {} : { value: json };
  }

  /** Returns `undefined` for what an object leaves out. */
  private value(input: unknown, key: string | number): JsonValue | undefined {
    switch (typeof input) {
      case 'string':
        this.grow(input.length);
        return input;
      case 'number':
        this.grow(1);
        // JSON knows no -0.
        return input - input === 0 ? input + 0 : this.changed(key, `${String(input)} became null`, null);
      case 'boolean':
        this.grow(4);
        return input;
      case 'object':
        return input === null ? null : this.nested(input, key);
      case 'undefined':
        return undefined;
      case 'bigint':
        return this.bigint(input, key);
      default: {
        this.changed(key, `a ${typeof input} was left out`, undefined);
        return;
      }
    }
  }

  private nested(input: object, key: string | number): JsonValue | undefined {
    const { ancestors, path } = this;
    if (ancestors.length >= this.limits.maxDepth) {
      return this.changed(key, 'what lies too deep was cut', TOO_DEEP);
    }
    if (ancestors.includes(input)) {
      return this.changed(key, 'a cycle was cut', CIRCULAR);
    }
    ancestors.push(input);
    path.push(key);
    try {
      return this.container(input);
    } catch (error) {
      if (error === TOO_LARGE) {
        throw error;
      }
      return this.changed(undefined, 'reading it threw', UNREADABLE);
    } finally {
      ancestors.pop();
      path.pop();
    }
  }

  private container(input: object): JsonValue | undefined {
    if (Array.isArray(input)) {
      return this.array(input);
    }
    const prototype: unknown = Object.getPrototypeOf(input);
    const isPlain = prototype === Object.prototype || prototype === null;
    return isPlain && typeof (input as { toJSON?: unknown }).toJSON !== 'function' && !isThenable(input)
      ? this.object(input)
      : this.unusual(input);
  }

  private unusual(input: object): JsonValue | undefined {
    if (input instanceof Date) {
      return Number.isNaN(input.getTime())
        ? this.changed(undefined, 'an invalid date became null', null)
        : this.value(input.toISOString(), '');
    }
    if (isError(input)) {
      return this.error(input);
    }
    if (isThenable(input)) {
      // Its rejection must not end the process: nobody else may be listening.
      input.then(undefined, () => undefined);
      this.changed(undefined, 'a promise was left out: it was not awaited', undefined);
      return;
    }
    const { toJSON } = input as { toJSON?: unknown };
    if (typeof toJSON === 'function') {
      const json: unknown = toJSON.call(input, '');
      // Some return themselves, which JSON.stringify takes as they are.
      return json === input ? this.object(input) : this.value(json, '');
    }
    if (input instanceof Map) {
      const entries = [...(input as Map<unknown, unknown>)].map(
        ([key, item]) => [String(key), item] as const,
      );
      return this.changed(undefined, 'a Map became an object', this.object(Object.fromEntries(entries)));
    }
    if (input instanceof Set) {
      return this.changed(undefined, 'a Set became an array', this.array([...(input as Set<unknown>)]));
    }
    if (input instanceof Number || input instanceof String || input instanceof Boolean) {
      return this.value(input.valueOf(), '');
    }
    const copy = this.object(input);
    if (Object.keys(copy).length === 0 && !isOfOtherRealm(input)) {
      this.changed(undefined, `${nameOf(input)} has no fields that can be read and became {}`, undefined);
    }
    return copy;
  }

  /** Nothing but these: errors of HTTP clients carry the request with its credentials, and so do their `toJSON`. */
  private error(input: Error): JsonValue {
    const { name, message, code, status, stack } = input as Error & {
      readonly code?: unknown;
      readonly status?: unknown;
    };
    const fields = { name, message, code, status, stack };
    return this.changed(
      undefined,
      'an Error became its name, message, code, status and stack',
      this.object(fields),
    );
  }

  private object(input: object): JsonObject {
    const copy: Record<string, JsonValue> = {};
    // A brace; each member has a comma, or the other brace.
    let size = 1;
    for (const key of Object.keys(input)) {
      if (key === '__proto__') {
        this.changed(undefined, 'a key __proto__ was left out', undefined);
        continue;
      }
      let value: unknown;
      try {
        value = (input as Record<string, unknown>)[key];
      } catch {
        value = this.changed(key, 'reading it threw', UNREADABLE);
      }
      // What most properties are, without a call; `value` knows the rest.
      switch (typeof value) {
        case 'string':
          size += key.length + value.length + 6;
          copy[key] = value;
          break;
        case 'boolean':
          size += key.length + 8;
          copy[key] = value;
          break;
        case 'undefined':
          break;
        default: {
          // Counted before what lies inside is looked at: a proxy may have no end.
          this.grow(size + key.length + 4);
          size = 0;
          const json = this.value(value, key);
          if (json !== undefined) {
            copy[key] = json;
          }
        }
      }
    }
    this.grow(size);
    return copy;
  }

  private array(input: readonly unknown[]): readonly JsonValue[] {
    this.grow(2);
    const copy: JsonValue[] = [];
    for (let i = 0; i < input.length; i++) {
      this.grow(1);
      const json = this.value(input[i], i);
      copy.push(
        json === undefined ? this.changed(i, 'what an array cannot leave out became null', null) : json,
      );
    }
    return copy;
  }

  private bigint(input: bigint, key: string | number): JsonValue | undefined {
    // An app that patches this (the usual remedy for Prisma's BigInts) has said how they appear.
    const { toJSON } = BigInt.prototype as { toJSON?: unknown };
    if (typeof toJSON === 'function') {
      return this.value(toJSON.call(input), key);
    }
    const digits = input.toString();
    this.grow(digits.length);
    return this.changed(key, 'a BigInt became a string', digits);
  }

  /** @param key of the value in the container being read; none for the container itself */
  private changed<T>(key: string | number | undefined, what: string, result: T): T {
    if (this.changes.length < MAX_CHANGES) {
      const steps = key === undefined ? this.path : [...this.path, key];
      const path = steps.reduce<string>(
        (text, step) =>
          typeof step === 'number'
            ? `${text}[${step}]`
            : text === ''
              ? step
              : step === ''
                ? text
                : `${text}.${step}`,
        '',
      );
      this.changes = [...this.changes, path === '' ? what : `${path}: ${what}`];
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

/** Also of another realm: a test runner's, or that of Node's own errors inside one. */
function isError(value: object): value is Error {
  return (
    value instanceof Error || /^\[object (Error|DOMException)\]$/.test(Object.prototype.toString.call(value))
  );
}

/** A plain object, made where another `Object.prototype` is the root of all. */
function isOfOtherRealm(input: object): boolean {
  const prototype = Object.getPrototypeOf(input) as object | null;
  return (
    prototype !== null &&
    Object.getPrototypeOf(prototype) === null &&
    prototype !== Object.prototype &&
    Object.hasOwn(prototype, 'hasOwnProperty')
  );
}

function nameOf(input: object): string {
  const { constructor } = input as { constructor?: unknown };
  return typeof constructor === 'function' && constructor.name !== ''
    ? `an instance of ${constructor.name}`
    : 'an object';
}
