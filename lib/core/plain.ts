import type { JsonObject, JsonValue } from './json.js';
import { EMPTY_OBJECT } from './json.js';

/** Characters of the largest object that is copied here: a context is small. */
const MAX_SIZE = 16 * 1024;

/** An object literal or one without prototype, which JSON shows by its keys. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) {
    return false;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    (prototype === Object.prototype || prototype === null) &&
    (value as { toJSON?: unknown }).toJSON === undefined
  );
}

/** Whether every object has further enumerable keys, which `for … in` would show and `JSON.stringify` would not. */
export function isPrototypeExtended(): boolean {
  let extended = false;
  for (const key in EMPTY_OBJECT) {
    extended ||= key in EMPTY_OBJECT;
  }
  return extended;
}

/**
 * A frozen copy of a small object of plain JSON, made many times faster than by `snapshot`. Answers `undefined` for
 * anything else, which is then for `snapshot` to judge.
 */
export function plainCopy(
  data: unknown,
  limits: { readonly maxBytes: number; readonly maxDepth: number },
): JsonObject | undefined {
  try {
    if (!isPlain(data) || isPrototypeExtended()) {
      return undefined;
    }
    const room = Math.min(limits.maxBytes, MAX_SIZE);
    return new PlainCopy(room, limits.maxDepth).object(data, 1);
  } catch {
    return undefined;
  }
}

class NotPlain extends Error {}

/** Made once, so that throwing costs no stack trace. */
const NOT_PLAIN = new NotPlain('not a small object of plain JSON');

/** Counts down what may still be copied: cycles and large objects end there. */
class PlainCopy {
  constructor(
    private room: number,
    private readonly maxDepth: number,
  ) {}

  object(input: Record<string, unknown>, depth: number): JsonObject {
    const copy: Record<string, JsonValue> = {};
    this.take(2);
    for (const key in input) {
      const value = input[key];
      if (value !== undefined) {
        if (key === '__proto__') {
          throw NOT_PLAIN;
        }
        this.take(key.length + 4);
        copy[key] = this.value(value, depth);
      }
    }
    return Object.freeze(copy);
  }

  private value(input: unknown, depth: number): JsonValue {
    switch (typeof input) {
      case 'string':
        this.take(input.length);
        return input;
      case 'number':
        if (Number.isFinite(input)) {
          // JSON knows no -0.
          return input + 0;
        }
        break;
      case 'boolean':
        return input;
      case 'object':
        return input === null ? null : this.container(input, depth + 1);
    }
    throw NOT_PLAIN;
  }

  private container(input: object, depth: number): JsonValue {
    if (depth > this.maxDepth) {
      throw NOT_PLAIN;
    }
    if (Array.isArray(input)) {
      return this.array(input, depth);
    }
    if (isPlain(input)) {
      return this.object(input, depth);
    }
    throw NOT_PLAIN;
  }

  private array(input: readonly unknown[], depth: number): readonly JsonValue[] {
    const copy: JsonValue[] = [];
    for (const item of input) {
      this.take(1);
      copy.push(this.value(item, depth));
    }
    return Object.freeze(copy);
  }

  private take(size: number): void {
    this.room -= size;
    if (this.room < 0) {
      throw NOT_PLAIN;
    }
  }
}
