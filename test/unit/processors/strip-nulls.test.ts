import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../../../lib/core/json.js';
import { stripNulls } from '../../../lib/processors/strip-nulls.js';
import { record, untyped } from '../../support/recording.js';
import { answerOf, eventOf, thrownBy } from './events.js';

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

  it('works on context, and answers nothing when nothing is null', () => {
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

  it.each([null, [], { empty: 1 }, { nulls: true }])('refuses %j', (options) => {
    expect(thrownBy(() => stripNulls(untyped(options)))).toContain('the arguments of stripNulls() are wrong');
  });
});

/** For `JSON.parse`, which leaves out what becomes `undefined`. */
function withoutNulls(this: unknown, _key: string, value: JsonValue): unknown {
  return value === null && !Array.isArray(this) ? undefined : value;
}
