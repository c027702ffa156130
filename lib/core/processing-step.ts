import type { TrackingEvent } from './event.js';
import type { MaybePromise, ProcessorObject, ProcessorSpec } from './processor.js';

/** A processor as a node runs it. */
export interface ProcessingStep {
  /** Its name in reports. */
  readonly name: string;
  readonly failClosed: boolean;
  run(event: TrackingEvent): MaybePromise<unknown>;
}

/** Creates a class; the default is `new` without arguments. */
export type Instantiate = (type: new () => object) => unknown;

const isObjectLike = (value: unknown): value is object =>
  typeof value === 'function' || (typeof value === 'object' && value !== null);

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

/** Makes a step of whatever an app may give as a processor; answers what is wrong with it as a text. */
export function toStep(spec: ProcessorSpec, instantiate: Instantiate): ProcessingStep | string {
  const value: unknown = spec;
  if (isClass(value)) {
    return instanceStep(instantiate(value), nameOf(value));
  }
  if (typeof value === 'function') {
    const { failClosed } = value as { failClosed?: unknown };
    const run = value as (event: TrackingEvent) => unknown;
    return {
      name: nameOf(value),
      failClosed: failClosed === true,
      run: (event) => run(event),
    };
  }
  return instanceStep(value, 'object');
}

function instanceStep(value: unknown, kind: string): ProcessingStep | string {
  if (!isObjectLike(value) || typeof (value as { process?: unknown }).process !== 'function') {
    return `expected a function, or something with a callable "process", got ${describeSpec(value, kind)}`;
  }
  const processor = value as ProcessorObject;
  return {
    name: kind === 'object' ? nameOf(value.constructor) : kind,
    failClosed: processor.failClosed === true,
    run: (event) => processor.process(event),
  };
}

/** Of a class or function; an object literal, or one without prototype, has none that says anything. */
function nameOf(maker: unknown): string {
  const name: unknown = typeof maker === 'function' && maker !== Object ? maker.name : '';
  return typeof name === 'string' && name !== '' ? name : 'a processor';
}

function describeSpec(value: unknown, kind: string): string {
  if (value === null || typeof value !== 'object') {
    return value === null ? 'null' : `a ${typeof value}`;
  }
  return kind === 'object' ? 'an object without it' : `class ${kind} without it`;
}
