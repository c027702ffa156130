import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PlainJson } from '../../../lib/core/plain-json.js';
import { sanitize, TOO_LARGE } from '../../../lib/core/sanitize.js';
import { record } from '../../support/recording.js';

const LIMITS = { maxBytes: 1_000_000, maxDepth: 100 };

/** An object whose `n` says how often it was read, and may have something beside it. */
function counting(before: object = {}, after: object = {}): { readonly n: number } {
  let reads = 0;
  const getter = Object.defineProperty({ ...before }, 'n', { enumerable: true, get: () => ++reads });
  return Object.assign(getter, after) as { n: number };
}

/** What is emitted, or entered, with getters in it; each must be seen as 1. */
const WITH_GETTERS: [name: string, make: () => object, expected: object][] = [
  ['alone', () => counting(), { n: 1 }],
  ['in an object', () => ({ a: { b: counting({ x: 'x' }) } }), { a: { b: { x: 'x', n: 1 } } }],
  ['in an array', () => ({ list: ['x', [counting()]] }), { list: ['x', [{ n: 1 }]] }],
  ['before a BigInt', () => counting({}, { big: 1n }), { n: 1, big: '1' }],
  ['after a BigInt', () => counting({ big: 1n }), { big: '1', n: 1 }],
  [
    'in more than 20 KiB',
    () => ({ text: 'x'.repeat(25_000), inner: counting() }),
    { text: 'x'.repeat(25_000), inner: { n: 1 } },
  ],
];

describe('a getter', () => {
  it.each(WITH_GETTERS)('is read once in a payload: %s', (_, make, expected) => {
    const { tracker, memory } = record();
    tracker.emit('read', make());
    tracker.emit('read', make());
    expect(memory.events.map(({ data }) => data)).toStrictEqual([expected, expected]);
  });

  it.each(WITH_GETTERS)('is read once in a context: %s', (_, make, expected) => {
    const { tracker } = record();
    for (let round = 0; round < 2; round++) {
      const seen = tracker.context('read', make(), () => tracker.resolveContext());
      expect(seen).toStrictEqual(expected);
    }
  });

  it('is read once where nobody looks at the keys any more: there are too many of them', () => {
    const json = new PlainJson(LIMITS);
    for (let i = 0; i < 40; i++) {
      expect(json.write({ [`key${i}`]: i }, 'name').json).toBe(`{"key${i}":${i}}`);
    }
    expect(json.write(counting(), 'name').json).toBe('{"n":1}');
    for (let i = 0; i < 1_100; i++) {
      expect(json.write({ i }, `name${i}`).json).toBe(`{"i":${i}}`);
    }
    expect(json.write(counting(), 'one more name').json).toBe('{"n":1}');
  });
});

describe('JSON written by the engine', () => {
  /** Keys that meet under one name, in any order. */
  const plain = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom<unknown>(1, -0, 1e21, 'x', 'ü"\n', '\ud800', true, null, undefined),
      fc.date({ noInvalidDate: true }),
      tie('object'),
      fc.array(
        fc.oneof(fc.constantFrom<unknown>(1, -0, 'x', null), fc.date({ noInvalidDate: true }), tie('object')),
        { maxLength: 3 },
      ),
    ),
    object: fc.dictionary(fc.constantFrom('a', 'b', 'c', '1', '07', 'toString'), tie('value'), {
      maxKeys: 4,
    }),
  })).object as fc.Arbitrary<object>;

  it('is that of JSON.stringify, whatever else came under the name, and refused only if it is too large', () => {
    fc.assert(
      fc.property(fc.array(plain, { minLength: 1, maxLength: 6 }), (inputs) => {
        const json = new PlainJson(LIMITS);
        for (const input of [...inputs, ...inputs]) {
          const expected = JSON.stringify(input);
          expect(json.write(input, 'name')).toStrictEqual({ json: expected, value: input, changes: [] });
          const maxBytes = Buffer.byteLength(expected);
          expect(new PlainJson({ ...LIMITS, maxBytes }).write(input, 'name').json).toBe(expected);
        }
      }),
      { numRuns: 300 },
    );
  });

  it.each<[string, object]>([
    ['nested objects', { a: { a: { a: { a: {} } } } }],
    ['objects beside each other', { a: { x: 1 }, b: { x: 1 }, c: { x: 1 } }],
    ['keys without a value', { ['x'.repeat(100)]: undefined, a: 1 }],
  ])('is not taken for larger than it is, nor when it is sanitized: %s', (_, input) => {
    const expected = JSON.stringify(input);
    const limits = { ...LIMITS, maxBytes: expected.length };
    expect(new PlainJson(limits).write(input, 'name').json).toBe(expected);
    expect(JSON.stringify(sanitize(input, limits).value)).toBe(expected);
  });

  it('is refused before it is written when it is far too large', () => {
    const json = new PlainJson({ ...LIMITS, maxBytes: 1_000 });
    expect(() => json.write({ a: ['x'.repeat(2_000)] }, 'name')).toThrow(TOO_LARGE);
  });
});

describe('what is not plain JSON', () => {
  const anything = fc.anything({
    ...{ withBigInt: true, withBoxedValues: true, withDate: true, withMap: true, withSet: true },
    ...{ withNullPrototype: true, withSparseArray: true, withTypedArray: true },
    key: fc.oneof(fc.constantFrom('a', 'b', 'c', '__proto__', 'toString'), fc.string()),
  });

  it('is written as if all had been sanitized, and says the same', () => {
    const json = new PlainJson(LIMITS);
    fc.assert(
      fc.property(anything, (a) => {
        const input = { a };
        const { value, changes } = sanitize(input, LIMITS);
        for (let round = 0; round < 2; round++) {
          const written = json.write(input, 'name');
          expect([written.json, written.changes]).toStrictEqual([JSON.stringify(value), changes]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is seen although plain JSON of the same shape came before', () => {
    const json = new PlainJson(LIMITS);
    json.write({ a: 1, b: { c: ['x'] } }, 'name');
    expect(json.write({ a: Number.NaN, b: { c: [1n] } }, 'name')).toMatchObject({
      json: '{"a":null,"b":{"c":["1"]}}',
      changes: ['a: NaN became null', 'b.c[0]: a BigInt became a string'],
    });
    expect(json.write({ a: () => 1, b: { c: new Map([['x', 1]]) } }, 'name')).toMatchObject({
      json: '{"b":{"c":{"x":1}}}',
    });
  });
});

describe('an extended Object.prototype', () => {
  afterEach(() => {
    Reflect.deleteProperty(Object.prototype, 'extra');
  });

  it('is not picked up, and hides no key of that name', () => {
    const json = new PlainJson(LIMITS);
    const write = (input: object): string => json.write(input, 'name').json;
    expect(write({ a: 1, extra: 'own' })).toBe('{"a":1,"extra":"own"}');
    Object.defineProperty(Object.prototype, 'extra', { value: 7, enumerable: true, configurable: true });
    expect(write({ a: 1 })).toBe('{"a":1}');
    expect(write({ b: { c: 1 } })).toBe('{"b":{"c":1}}');
    expect(write({ a: 1, extra: 'own' })).toBe('{"a":1,"extra":"own"}');
    const { tracker, last } = record({ context: { kept: 1 } });
    tracker.context('work', { a: 1 }, () => {
      tracker.emit('done', { b: 2 });
    });
    expect(Object.keys(last().context)).toStrictEqual(['kept', 'a']);
    expect(Object.keys(last().data)).toStrictEqual(['b']);
  });
});
