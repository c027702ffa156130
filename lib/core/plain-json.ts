import { sanitize, TOO_LARGE } from './sanitize.js';
import type { SanitizeLimits } from './sanitize.js';

/** Thrown, never shown: made once, so that throwing costs no stack trace. */
const NOT_PLAIN = new (class NotPlain extends Error {})('not plain JSON');
/** Most names whose shapes are kept apart, most keys of all shapes, most alternatives at one place of a shape. */
const MAX_NAMES = 1_000;
const MAX_KEYS = 10_000;
const MAX_ALTERNATIVES = 16;

/** The JSON of an object. */
export interface WrittenJson {
  readonly json: string;
  /** What was written. */
  readonly value: object;
  /** What JSON could not hold, as `path: what happened`; empty when the input was JSON already. */
  readonly changes: readonly string[];
}

/** A key of plain objects seen before, and the keys that came behind it and inside its value. */
class Shape {
  next: Shape | undefined;
  other: Shape | undefined;
  inside: Shape | undefined;

  constructor(readonly key: string) {}
}

/**
 * Writes JSON: with the engine alone what is plain JSON, everything else by way of `sanitize`.
 *
 * Invariants
 * - What is written is what JSON gives back: a value that JSON cannot hold as it is (a function, NaN, a Map, a cycle, …) is never left to the engine.
 * - An object with getters is not plain: they would run twice, in the check and in the engine. To look for them costs more
 *   than all the rest, so it is done once for each shape of each name: the same keys in the same order.
 */
export class PlainJson {
  private readonly shapes = new Map<string, Shape>();
  private keys = 0;
  private size = 0;

  constructor(private readonly limits: SanitizeLimits) {}

  /**
   * @param name of the event or context: what has one name mostly has one shape
   * @throws TOO_LARGE
   */
  write(input: unknown, name: string): WrittenJson {
    try {
      if (typeof input === 'object' && input !== null && !Array.isArray(input) && !(input instanceof Date)) {
        this.size = 0;
        this.container(input, this.shapeOf(name), 1);
        return { json: JSON.stringify(input), value: input, changes: NO_CHANGES };
      }
    } catch (error) {
      if (error === TOO_LARGE) {
        throw error;
      }
    }
    const { value, changes } = sanitize(input, this.limits);
    return { json: JSON.stringify(value), value, changes };
  }

  private shapeOf(name: string): Shape {
    let shape = this.shapes.get(name);
    if (shape === undefined) {
      if (this.shapes.size >= MAX_NAMES) {
        throw NOT_PLAIN;
      }
      shape = new Shape('');
      this.shapes.set(name, shape);
    }
    return shape;
  }

  private container(input: object, shape: Shape, depth: number): void {
    if (depth > this.limits.maxDepth) {
      throw NOT_PLAIN;
    }
    if (Array.isArray(input)) {
      this.array(input, shape, depth);
      return;
    }
    const prototype: unknown = Object.getPrototypeOf(input);
    if (prototype === Date.prototype && Number.isFinite((input as Date).getTime())) {
      this.grow(26);
      return;
    }
    if (
      (prototype !== Object.prototype && prototype !== null) ||
      typeof (input as { toJSON?: unknown }).toJSON === 'function'
    ) {
      throw NOT_PLAIN;
    }
    this.object(input as Record<string, unknown>, shape, depth);
  }

  private object(input: Record<string, unknown>, shape: Shape, depth: number): void {
    // A brace; each member has a comma, or the other brace.
    let size = 1;
    let place = shape;
    for (const key in input) {
      place = this.following(place, key, input);
      const value = input[key];
      if (value === undefined) {
        continue;
      }
      size += key.length + 4;
      if (typeof value === 'string') {
        size += value.length + 2;
      } else if (typeof value === 'object' && value !== null) {
        this.grow(size);
        size = 0;
        this.container(value, (place.inside ??= new Shape('')), depth + 1);
      } else {
        size += sizeOf(value);
      }
    }
    this.grow(size);
  }

  private array(input: readonly unknown[], shape: Shape, depth: number): void {
    // By index: iterating is slower, and a proxy may have an iterator of its own.
    // eslint-disable-next-line @typescript-eslint/prefer-for-of
    for (let i = 0; i < input.length; i++) {
      const value = input[i];
      if (typeof value === 'string') {
        this.grow(value.length + 3);
      } else if (typeof value === 'object' && value !== null) {
        this.container(value, (shape.inside ??= new Shape('')), depth + 1);
      } else if (value === undefined) {
        throw NOT_PLAIN;
      } else {
        this.grow(sizeOf(value) + 1);
      }
    }
  }

  /** The place in the shape where a key follows; where it never did, it is looked at. */
  private following(place: Shape, key: string, input: object): Shape {
    let shape = place.next;
    let alternatives = 0;
    while (shape !== undefined && shape.key !== key) {
      shape = shape.other;
      alternatives++;
    }
    if (shape !== undefined) {
      return shape;
    }
    const property = Object.getOwnPropertyDescriptor(input, key);
    if (
      // Inherited, where `Object.prototype` was extended.
      property === undefined ||
      property.get !== undefined ||
      property.set !== undefined ||
      key === '__proto__' ||
      alternatives >= MAX_ALTERNATIVES ||
      this.keys >= MAX_KEYS
    ) {
      throw NOT_PLAIN;
    }
    this.keys++;
    shape = new Shape(key);
    shape.other = place.next;
    place.next = shape;
    return shape;
  }

  private grow(size: number): void {
    this.size += size;
    if (this.size > this.limits.maxBytes) {
      throw TOO_LARGE;
    }
  }
}

const NO_CHANGES: readonly string[] = Object.freeze([]);

/** Never more than the bytes it takes. */
function sizeOf(value: unknown): number {
  if (value === null || typeof value === 'boolean' || (typeof value === 'number' && value - value === 0)) {
    return 1;
  }
  throw NOT_PLAIN;
}
