import type { EventCatalogue, EventDefinition, Verdict } from '../core/catalogue.js';
import type { JsonObject } from '../core/json.js';
import type { MaybePromise } from '../core/processor.js';
import { isThenable } from '../core/thenable.js';
import { isRecord, Problems } from '../core/options.js';
import type { StandardResult, StandardSchema } from './standard-schema.js';
import { isStandardSchema, issueLine } from './standard-schema.js';

/** A list longer than this helps nobody. */
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

/**
 * Names an app's events once, with the types and the schemas of their payloads.
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
  definitions: Definitions,
): EventCatalogue<EventsFrom<Definitions>> {
  const problems = new Problems();
  const byName = readDefinitions(definitions, problems);
  problems.throwIfAny('the arguments of defineEvents() are wrong');
  return Object.freeze({
    names: Object.freeze([...byName.keys()]),
    get: (name: string) => byName.get(name),
  });
}

function readDefinitions(definitions: unknown, problems: Problems): ReadonlyMap<string, EventDefinition> {
  const byName = new Map<string, EventDefinition>();
  if (!isRecord(definitions)) {
    problems.add('definitions', 'an object of schemas by name', definitions);
    return byName;
  }
  for (const [name, definition] of Object.entries(definitions)) {
    const option = `definitions[${JSON.stringify(name)}]`;
    if (name === '') {
      problems.add(option, 'under a name that is not empty', name);
    }
    if (isStandardSchema(definition)) {
      byName.set(name, Object.freeze({ validate: judgeBy(definition) }));
    } else if (isRecord(definition) && definition['typeOnly'] === true) {
      byName.set(name, Object.freeze({}));
    } else {
      problems.add(option, 'a Standard Schema or event()', definition);
    }
  }
  return byName;
}

function judgeBy(schema: StandardSchema): (data: JsonObject) => MaybePromise<Verdict> {
  return (data) => {
    const result = schema['~standard'].validate(data);
    return isThenable(result) ? result.then(verdictOf) : verdictOf(result);
  };
}

function verdictOf(result: StandardResult<unknown>): Verdict {
  if (result.issues !== undefined) {
    const problems = result.issues.slice(0, MAX_PROBLEMS).map(issueLine);
    return { valid: false, problems };
  }
  return { valid: true, output: result.value as JsonObject };
}
