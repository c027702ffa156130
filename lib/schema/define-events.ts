import type { EventCatalogue, EventDefinition, ValidationResult } from '../core/catalogue.js';
import type { JsonObject } from '../core/json.js';
import type { MaybePromise } from '../core/processor.js';
import { isThenable } from '../core/thenable.js';
import type { OptionReader } from '../core/options.js';
import { isRecord, mapOf, nonEmptyString, readArguments } from '../core/options.js';
import type { SchemaError, StandardResult, StandardSchema } from './standard-schema.js';
import { isStandardSchema, issueLine } from './standard-schema.js';

/** More problems of one payload are left out. */
const MAX_PROBLEMS = 10;

declare const PAYLOAD: unique symbol;

/** An event with a type and no validator. Made by `event`. */
export interface TypedEvent<Payload> {
  readonly typeOnly: true;
  /** Carries the type; never there. */
  readonly [PAYLOAD]?: Payload;
}

const TYPED_EVENT: TypedEvent<never> = Object.freeze({ typeOnly: true });

/** Declares the payload of an event to TypeScript alone: nothing is checked when it is emitted. Default: any object. */
export function event<Payload extends object | undefined = object>(): TypedEvent<Payload> {
  return TYPED_EVENT;
}

/** Schemas (Standard Schema: zod, valibot, arktype, …) and type-only entries, by event name. */
export type EventDefinitions = Readonly<Record<string, StandardSchema | TypedEvent<unknown>>>;

/** What is emitted is what a schema takes in, before its defaults and conversions. */
type PayloadOf<Definition> =
  Definition extends TypedEvent<infer Payload>
    ? Payload
    : Definition extends StandardSchema<infer Input>
      ? Input
      : never;

type EventsFrom<Definitions> = {
  [Name in keyof Definitions]: PayloadOf<Definitions[Name]>;
};

/** Schemas that could only refuse every event do not compile. */
type Satisfiable<Definitions> = {
  readonly [Name in keyof Definitions]: SchemaError<Definitions[Name]>;
};

/**
 * Names an app's events once, with the types and the schemas of their payloads. A schema sees the JSON of a payload, as
 * backends do: a date is an ISO string there (zod: `z.iso.datetime()`), and a schema that wants a `Date`, a `bigint` or a
 * `Map` does not compile.
 *
 * @example
 * const catalogue = defineEvents({
 *   'donation.received': z.object({ amount: z.number().int(), currency: z.string() }),
 *   'page.opened': event<{ page: string }>(),
 * });
 * const tracker = createTracker<EventsOf<typeof catalogue>>({ processors: [validate(catalogue)], backends });
 * @throws TrackingError `invalid_options`
 */
export function defineEvents<Definitions extends EventDefinitions>(
  definitions: Definitions & Satisfiable<Definitions>,
): EventCatalogue<EventsFrom<Definitions>> {
  const { definitions: byName } = readArguments(
    'defineEvents',
    { definitions },
    { definitions: eventsByName },
  );
  return Object.freeze({
    names: Object.freeze([...byName.keys()]),
    get: (name: string) => byName.get(name),
  });
}

const eventDefinition: OptionReader<EventDefinition> = (given, path, problems) => {
  if (isStandardSchema(given)) {
    return Object.freeze({ validate: validateBy(given) });
  }
  if (!isRecord(given) || given['typeOnly'] !== true) {
    problems.add(path, 'a Standard Schema or event()', given);
  }
  return Object.freeze({});
};

const eventsByName = mapOf('an object of schemas by name', eventDefinition, nonEmptyString);

function validateBy(schema: StandardSchema): (data: JsonObject) => MaybePromise<ValidationResult> {
  return (data) => {
    const result = schema['~standard'].validate(data);
    return isThenable(result) ? result.then(validationResult) : validationResult(result);
  };
}

function validationResult(result: StandardResult<unknown>): ValidationResult {
  if (result.issues !== undefined) {
    const problems = result.issues.slice(0, MAX_PROBLEMS).map(issueLine);
    return { valid: false, problems };
  }
  return { valid: true, output: result.value as JsonObject };
}
