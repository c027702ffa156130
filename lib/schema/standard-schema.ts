import type { JsonValue } from '../core/json.js';

/**
 * What zod, valibot, arktype and others have in common: https://standardschema.dev, version 1. Written down here, so that
 * neither they nor the specification's own package are needed.
 */
export interface StandardSchema<Input = unknown, Output = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    validate(value: unknown): StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type StandardResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Some libraries' schemas are functions. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) {
    return false;
  }
  const standard = (value as Partial<StandardSchema>)['~standard'] as
    Partial<StandardSchema['~standard']> | undefined;
  return standard?.version === 1 && typeof standard.validate === 'function';
}

/** One line: `items.0.price: expected a number`. */
export function issueLine({ message, path = [] }: StandardIssue): string {
  const at = path.map((step) => String(typeof step === 'object' ? step.key : step)).join('.');
  return at === '' ? message : `${at}: ${message}`;
}

/**
 * `unknown`, or in words why no event can satisfy a schema: it sees the JSON of an event's payload, so that one which wants
 * a `Date` there would refuse every event.
 */
export type SchemaError<Schema> =
  Schema extends StandardSchema<infer Input>
    ? [InputProblem<Input>] extends [never]
      ? unknown
      : `a schema sees the event's JSON, but ${InputProblem<Input>}`
    : unknown;

type Nothing = null | undefined;
type AnyFunction = (...args: never[]) => unknown;

type InputProblem<Input> = unknown extends Input
  ? never
  : [Input] extends [Json<Input>]
    ? PayloadProblem<Input, Exclude<Input, Nothing>>
    : [NotJson<Input, 'data'>] extends [never]
      ? 'data is not JSON'
      : NotJson<Input, 'data'>;

type PayloadProblem<Input, Payload> = [Payload] extends [object]
  ? Payload extends readonly unknown[]
    ? 'data is not an object'
    : [Input] extends [Payload]
      ? never
      : // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- the payload of an event without one
        {} extends Payload
        ? never
        : 'data is {} in an event without a payload'
  : 'data is not an object';

/** The same type, with `never` in place of whatever is something else in JSON. */
type Json<T> = unknown extends T
  ? T
  : T extends JsonValue | Nothing
    ? T
    : T extends bigint | symbol | AnyFunction
      ? never
      : { [Key in keyof T]: Json<T[Key]> };

/** Where a type is not JSON, and what is there. A type that contains itself is gone through once. */
type NotJson<T, Path extends string, Seen = never> = [T] extends [Json<T>]
  ? never
  : T extends JsonValue | Nothing | Seen
    ? never
    : T extends readonly (infer Item)[]
      ? NotJson<Item, `${Path}.*`, Seen | T>
      : [KindOf<T>] extends [never]
        ? { [Key in keyof T & (string | number)]-?: NotJson<T[Key], `${Path}.${Key}`, Seen | T> }[keyof T &
            (string | number)]
        : `${Path} is ${KindOf<T>}`;

/** What has methods is an instance of some class. */
type KindOf<T> = T extends Date
  ? 'a Date, which is an ISO string in JSON'
  : T extends bigint
    ? 'a bigint, which is a string in JSON'
    : T extends ReadonlyMap<unknown, unknown>
      ? 'a Map, which is an object in JSON'
      : T extends ReadonlySet<unknown>
        ? 'a Set, which is an array in JSON'
        : T extends symbol
          ? 'not JSON'
          : [Extract<T | T[keyof T], AnyFunction>] extends [never]
            ? never
            : 'not JSON';
