/*
 * `npm run typecheck` is the test: every `@ts-expect-error` must be one. What compiles is also run.
 */
import { describe, expect, it } from '@jest/globals';
import type { EventsOf } from '../../lib/core/catalogue.js';
import { createTracker } from '../../lib/core/create-tracker.js';
import type { JsonValue } from '../../lib/core/json.js';
import { defineEvents, event } from '../../lib/schema/define-events.js';
import type { StandardSchema } from '../../lib/schema/standard-schema.js';
import { memoryBackend } from '../../lib/testing/memory-backend.js';
import { compileApp } from '../support/compiled-app.js';

/** A schema that takes this type in, as a library infers it. */
function schema<Input, Output = Input>(): StandardSchema<Input, Output> {
  return {
    '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as Output }) },
  };
}

interface Category {
  readonly name: string;
  readonly subcategories: readonly Category[];
  readonly parent?: Category | undefined;
}

interface DatedCategory {
  readonly at: Date;
  readonly subcategories: readonly DatedCategory[];
  readonly parent: DatedCategory;
}

interface Parent {
  readonly child?: Child;
}

interface Child extends Parent {
  readonly at: Date;
}

enum Color {
  Red = 'red',
}

const KEY: unique symbol = Symbol('brand');

class Money {
  readonly cents = 1;
  toJSON(): string {
    return `${this.cents}`;
  }
}

describe('defineEvents', () => {
  it('takes every schema whose input is JSON', () => {
    const catalogue = defineEvents({
      scalars: schema<{ s: string; n: number; b: boolean; none: null; one: 'x'; color: Color }>(),
      optional: schema<{ a?: string; b?: string | undefined; c?: number | null }>(),
      lists: schema<{ list: string[]; fixed: readonly [string, number?]; deep: { a: { b: 1 }[] }[] }>(),
      maps: schema<{ known: Record<string, number>; any: Record<string, unknown> }>(),
      union: schema<{ kind: 'a'; a: number } | { kind: 'b'; b: string }>(),
      branded: schema<{ id: string & { readonly [KEY]: 'id' } }>(),
      recursive: schema<Category>(),
      json: schema<{ value: JsonValue; object: object }>(),
      unknown: schema<{ value: unknown }>(),
      anything: schema(),
      coerced: schema<{ at: unknown }, { at: Date }>(),
      transformed: schema<{ at: string }, Map<string, Date>>(),
      empty: schema<Record<string, never>>(),
      maybe: schema<{ page?: string } | undefined>(),
      typed: event<{ at: Date }>(),
      bare: event<undefined>(),
    });
    const memory = memoryBackend();
    const tracker = createTracker<EventsOf<typeof catalogue>>({ backends: { memory } });
    tracker.emit('optional', { a: 'x' });
    tracker.emit('coerced', { at: new Date(0) });
    tracker.emit('typed', { at: new Date(0) });
    tracker.emit('maybe');
    tracker.emit('empty');
    tracker.emit('bare');
    // @ts-expect-error -- the types are those of the schemas
    tracker.emit('optional', { a: 7 });
    expect(memory.events).toHaveLength(7);
    expect(catalogue.names).toHaveLength(16);
  });

  it('refuses a schema whose input is something else in JSON', () => {
    const accepted = [
      // @ts-expect-error -- a Date is a string in JSON
      defineEvents({ x: schema<{ at: Date }>() }),
      // @ts-expect-error -- also in a list
      defineEvents({ x: schema<{ items: { at?: Date }[] }>() }),
      // @ts-expect-error -- in a tuple
      defineEvents({ x: schema<{ range: [string, Date] }>() }),
      // @ts-expect-error -- under any key
      defineEvents({ x: schema<Record<string, Date>>() }),
      // @ts-expect-error -- in one case of several
      defineEvents({ x: schema<{ a: string } | { b: Date | null }>() }),
      // @ts-expect-error -- beside a string: the Date would never be seen
      defineEvents({ x: schema<{ at: Date | string }>() }),
      // @ts-expect-error -- in a type that contains itself
      defineEvents({ x: schema<DatedCategory>() }),
      // @ts-expect-error -- in one that contains a kind of itself
      defineEvents({ x: schema<Parent>() }),
      // @ts-expect-error -- under a number
      defineEvents({ x: schema<{ 1: Date }>() }),
      // @ts-expect-error -- a bigint is a string in JSON
      defineEvents({ x: schema<{ n: bigint }>() }),
      // @ts-expect-error -- a Map is an object
      defineEvents({ x: schema<{ m: Map<string, number> }>() }),
      // @ts-expect-error -- a Set is an array
      defineEvents({ x: schema<{ s: Set<number> }>() }),
      // @ts-expect-error -- a class with toJSON is what that returns
      defineEvents({ x: schema<{ price: Money }>() }),
      // @ts-expect-error -- an array of bytes is an object of indexes
      defineEvents({ x: schema<{ bytes: Uint8Array }>() }),
      // @ts-expect-error -- a function is left out
      defineEvents({ x: schema<{ f: () => void }>() }),
      // @ts-expect-error -- a symbol is left out
      defineEvents({ x: schema<{ s: symbol }>() }),
      // @ts-expect-error -- a payload is an object
      defineEvents({ x: schema<string>() }),
      // @ts-expect-error -- not an array
      defineEvents({ x: schema<string[]>() }),
      // @ts-expect-error -- nor sometimes a string
      defineEvents({ x: schema<string | { a: string }>() }),
      // @ts-expect-error -- nor a Date
      defineEvents({ x: schema<Date>() }),
      // @ts-expect-error -- an event without a payload has an empty one
      defineEvents({ x: schema<undefined>() }),
      // @ts-expect-error -- which lacks what the schema wants
      defineEvents({ x: schema<{ page: string } | undefined>() }),
      // @ts-expect-error -- the good ones beside it do not help
      defineEvents({ good: schema<{ a: string }>(), x: schema<{ at: Date }>(), typed: event() }),
    ];
    expect(accepted).toHaveLength(23);
  });

  it('says in words what is wrong, and where', () => {
    const problems = compileApp(`
import { defineEvents } from '../../lib/schema/define-events.js';
import type { StandardSchema } from '../../lib/schema/standard-schema.js';
interface Node { at: Date; next: Node; previous: Node; all: Node[] }
declare const dated: StandardSchema<{ order: { items: { at: Date }[] } }>;
declare const big: StandardSchema<{ n: bigint }>;
declare const mapped: StandardSchema<{ a: Map<string, 1> }>;
declare const own: StandardSchema<{ url: URL }>;
declare const node: StandardSchema<Node>;
declare const list: StandardSchema<string[]>;
declare const numbered: StandardSchema<{ 1: Date }>;
declare const maybe: StandardSchema<{ a: 1 } | undefined>;
defineEvents({ dated });
defineEvents({ big });
defineEvents({ mapped });
defineEvents({ own });
defineEvents({ node });
defineEvents({ list });
defineEvents({ maybe });
defineEvents({ numbered });
`);
    const said = problems.map((problem) => problem.match(/^\d+|"a schema [^"]*"/g));
    const json = "a schema sees the event's JSON, but data";
    expect(said.map((parts) => [parts?.[0], parts?.at(-1)])).toStrictEqual([
      ['13', `"${json}.order.items.*.at is a Date, which is an ISO string in JSON"`],
      ['14', `"${json}.n is a bigint, which is a string in JSON"`],
      ['15', `"${json}.a is a Map, which is an object in JSON"`],
      ['16', `"${json}.url is not JSON"`],
      ['17', `"${json}.at is a Date, which is an ISO string in JSON"`],
      ['18', `"${json} is not an object"`],
      ['19', `"${json} is {} in an event without a payload"`],
      ['20', `"${json}.1 is a Date, which is an ISO string in JSON"`],
    ]);
  });
});
