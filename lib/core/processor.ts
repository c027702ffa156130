import type { TrackingEvent } from './event.js';

export type MaybePromise<T> = T | Promise<T>;

/** Why the library itself drops an event. An app's own reasons to `drop` are free. */
export type DropReason =
  | 'filtered'
  | 'consent'
  | 'sampled'
  | 'invalid'
  | 'no_transformer'
  | 'filter_failed'
  | 'too_large'
  | 'unserialisable'
  | 'overflow'
  | 'timeout'
  | 'closed'
  | 'failed'
  | 'expired'
  | 'outcome';

const BRAND = Symbol.for('nestjs-tracking.dropped');

/** What a processor returns to end an event's way. Made by `drop`. */
export class Dropped {
  readonly [BRAND] = true;

  constructor(readonly reason: string) {
    Object.freeze(this);
  }
}

/** Ends the event's way in this branch of the topology, counted under the reason. Returned, not thrown. */
export function drop(reason: string): Dropped {
  return new Dropped(typeof reason === 'string' && reason !== '' ? reason : 'filtered');
}

export function isDropped(value: unknown): value is Dropped {
  return typeof value === 'object' && value !== null && BRAND in value;
}

/** `undefined` leaves the event as it is, an array makes several of it, an empty one drops it. */
export type ProcessorResult = TrackingEvent | readonly TrackingEvent[] | Dropped | undefined;

/**
 * Looks at, changes, multiplies or drops events. One that throws, rejects or returns something else is reported and the
 * event goes on unchanged, unless it is marked as a filter: then the event is dropped (`filter_failed`).
 */
export type Processor = ((
  event: TrackingEvent,
  // eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- "returns nothing" is the usual processor
) => MaybePromise<ProcessorResult | void>) & { readonly failClosed?: boolean };

/** A processor with state, or one that Nest injects into. */
export interface ProcessorObject {
  /** True for filters: what they cannot decide is dropped. */
  readonly failClosed?: boolean;
  process(
    event: TrackingEvent,
    // eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- see Processor
  ): MaybePromise<ProcessorResult | void>;
}

/** A class, created by Nest's injector or, without Nest, by `new` without arguments. */
export type Type<T> = new (...args: never[]) => T;

export type ProcessorSpec = Processor | ProcessorObject | Type<ProcessorObject>;

/** Marks a processor as a filter: when it fails or takes too long, the event is dropped instead of let through. */
export function filter(process: Processor): Processor {
  return Object.assign((event: TrackingEvent) => process(event), { failClosed: true });
}

/** A processor as a node runs it. */
export interface ProcessingStep {
  /** Its name in reports. */
  readonly name: string;
  readonly failClosed: boolean;
  /** Whether it returned a promise before. */
  isAsync?: boolean;
  run(event: TrackingEvent): unknown;
}

/** Whether a value is a class rather than a function to call. */
export function isClass(value: unknown): value is new () => object {
  return (
    typeof value === 'function' &&
    (/^class\b/.test(Function.prototype.toString.call(value)) || hasMethods(value))
  );
}

/** Classes compiled to functions have their methods on the prototype. */
function hasMethods(value: object): boolean {
  const prototype = (value as { prototype?: unknown }).prototype;
  return (
    typeof prototype === 'object' && prototype !== null && Object.getOwnPropertyNames(prototype).length > 1
  );
}

/** Makes a step of a processor; returns what is wrong with anything else as a string. */
export function toStep(value: unknown): ProcessingStep | string {
  if (typeof value === 'function') {
    const { failClosed } = value as { failClosed?: unknown };
    const run = value as (event: TrackingEvent) => unknown;
    return { name: nameOf(value), failClosed: failClosed === true, run: (event) => run(event) };
  }
  const processor = value as ProcessorObject | null | undefined;
  if (typeof processor !== 'object' || typeof processor?.process !== 'function') {
    return `expected a function, or something with a callable "process", got ${describe(value)}`;
  }
  return {
    name: nameOf(processor.constructor),
    failClosed: processor.failClosed === true,
    run: (event) => processor.process(event),
  };
}

/** Of a class or function; an object literal, or one without prototype, has none that says anything. */
function nameOf(maker: unknown): string {
  const name: unknown = typeof maker === 'function' && maker !== Object ? maker.name : '';
  return typeof name === 'string' && name !== '' ? name : 'a processor';
}

function describe(value: unknown): string {
  if (value === null || typeof value !== 'object') {
    return value === null ? 'null' : `a ${typeof value}`;
  }
  const name = nameOf(value.constructor);
  return name === 'a processor' ? 'an object without it' : `class ${name} without it`;
}
