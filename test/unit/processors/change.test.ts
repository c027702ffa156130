import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../../../lib/core/json.js';
import { override, rename, stripNulls } from '../../../lib/processors/change.js';
import { record, untyped } from '../../support/recording.js';
import { answerOf, eventOf, problemsOf, sealedEvent, thrownBy } from './events.js';

it.each([
  ['rename', rename({})],
  ['override', override({})],
  ['stripNulls', stripNulls()],
])('%s has a name, and is not a filter: what it cannot change goes on', (name, processor) => {
  expect([processor.name, processor.failClosed]).toStrictEqual([name, undefined]);
});

describe('rename', () => {
  it('takes new names from a map, and nothing else', () => {
    const processor = rename({ 'order.created': 'Order Created' });
    const event = eventOf({ data: { a: 1 } });
    expect(processor(event)).toStrictEqual({ ...event, name: 'Order Created' });
    for (const name of ['order.paid', 'constructor', '__proto__']) {
      expect(answerOf(processor, sealedEvent({ name }))).toBeUndefined();
    }
  });

  it('asks a function', () => {
    const processor = rename((name, { data }) => (data['legacy'] === true ? `legacy.${name}` : undefined));
    const { tracker, memory } = record({ processors: [processor] });
    tracker.emit('a', { legacy: true });
    tracker.emit('b');
    expect(memory.events.map(({ name }) => name)).toStrictEqual(['legacy.a', 'b']);
  });

  it('leaves the event alone when the name stays', () => {
    expect(
      answerOf(
        rename((name) => name),
        sealedEvent(),
      ),
    ).toBeUndefined();
  });

  it.each([7, '', null, Promise.resolve('x')])('reports %p as a name; the event goes on', (name) => {
    const { tracker, last, codes } = record({
      processors: [rename(untyped<() => string>(() => name))],
    });
    tracker.emit('a');
    expect(last().name).toBe('a');
    expect(codes()).toStrictEqual(['processor_failed']);
  });

  it('names everything that is wrong at once', () => {
    expect(problemsOf(() => rename(untyped({ a: '', b: 7, c: 'ok' })))).toStrictEqual([
      'the arguments of rename() are wrong:',
      'expected names["a"] to be a non-empty string, got ""',
      'expected names["b"] to be a non-empty string, got 7',
    ]);
    expect(problemsOf(() => rename(untyped(undefined)))[1]).toBe(
      'expected names to be an object of new names, or a function, got undefined',
    );
  });
});

describe('override', () => {
  it('sets name, data and context, shallowly', () => {
    const { tracker, last } = record({
      processors: [
        override({
          name: 'sent',
          data: { source: 'shop', nested: { b: 2 }, gone: null },
          context: { environment: 'test' },
        }),
      ],
      context: { environment: 'dev', app: 'x' },
    });
    tracker.emit('e', { kept: 1, nested: { a: 1 } });
    expect({ ...last() }).toMatchObject({
      name: 'sent',
      data: { kept: 1, source: 'shop', nested: { b: 2 }, gone: null },
      context: { environment: 'test', app: 'x' },
    });
    expect(last().data['nested']).toStrictEqual({ b: 2 });
  });

  it('concerns its own branch alone', () => {
    const { memory } = record();
    const { tracker, memory: other } = record({
      backends: {
        changed: {
          processors: [override({ name: 'x' })],
          backends: { memory },
        },
      },
    });
    tracker.register('plain', other);
    tracker.emit('e');
    expect(memory.events[0]?.name).toBe('x');
    expect(other.events[0]?.name).toBe('e');
  });

  it('reads its values once, and cannot be poisoned', () => {
    const data = JSON.parse('{"a":1}') as { a: number };
    const { tracker, last } = record({ processors: [override({ data })] });
    data.a = 2;
    tracker.emit('e');
    expect(last().data).toStrictEqual({ a: 1 });
    expect(thrownBy(() => override({ data: JSON.parse('{"__proto__":{"x":1}}') as object }))).toContain(
      '__proto__',
    );
  });

  it('names everything that is wrong at once', () => {
    const overrides = { name: '', data: { n: NaN, f: () => 1 }, context: 'x', extra: 1 };
    expect(problemsOf(() => override(untyped(overrides)))).toStrictEqual([
      'the arguments of override() are wrong:',
      'overrides.extra is not an option; known are name, data, context',
      'expected overrides.name to be a non-empty string, got ""',
      'overrides.data: expected plain JSON, but n: NaN became null',
      'overrides.data: expected plain JSON, but f: a function was left out',
      'expected overrides.context to be an object, got "x"',
    ]);
  });

  it('refuses what exceeds an event, and what is not an object', () => {
    const text = 'x'.repeat(2 * 1024 * 1024);
    expect(thrownBy(() => override({ data: { text } }))).toContain('overrides.data: too large');
    expect(problemsOf(() => override(untyped(null)))[1]).toBe('expected overrides to be an object, got null');
  });
});

const data: JsonObject = {
  none: null,
  zero: 0,
  no: false,
  text: '',
  list: [null, 1, { a: null, b: [] }],
  deep: { er: { est: null } },
  empty: {},
};

function stripped(input: JsonObject, empty?: boolean): unknown {
  const processor = empty === undefined ? stripNulls() : stripNulls({ empty });
  const answer = answerOf(processor, eventOf({ data: input }));
  return answer === undefined ? input : (answer as { data: unknown }).data;
}

describe('stripNulls', () => {
  it('leaves out nulls at every level, but not in lists', () => {
    const expected = {
      zero: 0,
      no: false,
      text: '',
      list: [null, 1, { b: [] }],
      deep: { er: {} },
      empty: {},
    };
    expect(stripped(data)).toStrictEqual(expected);
    expect(stripped(data, false)).toStrictEqual(expected);
  });

  it('leaves out what is empty, and what becomes so', () => {
    expect(stripped(data, true)).toStrictEqual({
      zero: 0,
      no: false,
      list: [null, 1, {}],
    });
  });

  it('works on context, and returns nothing when nothing is null', () => {
    const { tracker, last } = record({ processors: [stripNulls()] });
    tracker.emit('e', { a: 1 }, { context: { user: { id: 'u', name: null } } });
    expect({ ...last() }).toMatchObject({ data: { a: 1 } });
    expect(last().context).toStrictEqual({ user: { id: 'u' } });
    const event = eventOf({ data: { a: [1, { b: 2 }] } });
    expect(answerOf(stripNulls(), event)).toBeUndefined();
  });

  it('leaves no null as a property, and nothing else out', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (input) => {
        const before = JSON.parse(JSON.stringify(input)) as JsonObject;
        const after = stripped(before) as JsonObject;
        expect(after).toStrictEqual(JSON.parse(JSON.stringify(before), withoutNulls));
      }),
    );
  });

  it.each<[unknown, string]>([
    [null, 'expected options to be an object, got null'],
    [[], 'expected options to be an object, got an array of 0'],
    [{ empty: 1 }, 'expected empty to be true or false, got 1'],
    [{ nulls: true }, 'nulls is not an option; known are empty'],
  ])('refuses %j', (options, problem) => {
    expect(problemsOf(() => stripNulls(untyped(options)))).toStrictEqual([
      'the arguments of stripNulls() are wrong:',
      problem,
    ]);
  });
});

/** For `JSON.parse`, which leaves out what becomes `undefined`. */
function withoutNulls(this: unknown, _key: string, value: JsonValue): unknown {
  return value === null && !Array.isArray(this) ? undefined : value;
}
