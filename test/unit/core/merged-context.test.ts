import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { JsonValue } from '../../../lib/core/json.js';
import { Frame, MergedContext } from '../../../lib/core/merged-context.js';

/** Keys that meet, hide each other, and stand elsewhere in an object than they were added. */
const keys = fc.constantFrom('a', 'b', 'c', '1', '10', '07', '7up', 'ü"', 'toString', 'constructor');
const values = fc.oneof(
  fc.constantFrom<JsonValue | undefined>(1, 'x', '"},{', true, null, undefined),
  fc.array(fc.constantFrom<JsonValue>(1, null, 'x'), { maxLength: 2 }),
  fc.dictionary(keys, fc.constantFrom<JsonValue>(1, null), { maxKeys: 2, noNullPrototype: true }),
);
const frames = fc.array(fc.dictionary(keys, values, { maxKeys: 4, noNullPrototype: true }), { maxLength: 5 });

/** Told as naively as possible: per key the later wins, and `null` takes it away. */
function naive(list: readonly object[]): object {
  const result: Record<string, unknown> = {};
  for (const data of list) {
    for (const [key, value] of Object.entries(data)) {
      if (value === null) {
        Reflect.deleteProperty(result, key);
      } else if (value !== undefined) {
        result[key] = value;
      }
    }
  }
  return result;
}

describe('a merged context', () => {
  it('is written as JSON.stringify writes the merged object, and reads like it', () => {
    fc.assert(
      fc.property(frames, fc.boolean(), (list, isKnown) => {
        const merged = new MergedContext(
          list.map((data) => new Frame(JSON.stringify(data), isKnown ? data : undefined)),
        );
        const expected = JSON.stringify(naive(list));
        expect(merged.ending).toBe(`,"context":${expected}}`);
        expect(JSON.stringify(merged.object)).toBe(expected);
      }),
      { numRuns: 1_000 },
    );
  });

  it('is the same when a frame is put on top of it later', () => {
    fc.assert(
      fc.property(frames, frames, (below, above) => {
        const toFrame = (data: object): Frame => new Frame(JSON.stringify(data), data);
        const base = new MergedContext(below.map(toFrame));
        const before = base.ending;
        const merged = above.reduce<MergedContext>((context, data) => context.with(toFrame(data)), base);
        expect(merged.ending).toBe(`,"context":${JSON.stringify(naive([...below, ...above]))}}`);
        expect(base.ending).toBe(before);
      }),
      { numRuns: 300 },
    );
  });

  it('cannot be changed, all the way down', () => {
    const { object } = new MergedContext([new Frame('{"a":{"b":[{"c":1}]}}'), new Frame('{"d":1}')]);
    const { b } = object['a'] as { b: readonly [{ c: number }] };
    expect([object, object['a'], b, b[0]].every((one) => Object.isFrozen(one))).toBe(true);
  });
});
