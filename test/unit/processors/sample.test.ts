import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { errorMessage } from '../../../lib/core/describe.js';
import type { SampleOptions } from '../../../lib/processors/sample.js';
import { sample } from '../../../lib/processors/sample.js';
import { record, untyped } from '../../support/recording.js';
import { answerOf, eventOf, expectFilter, problemsOf, sealedEvent, thrownBy } from './events.js';

const rate = fc.double({ min: 0, max: 1, noNaN: true });

function keeps(options: SampleOptions, id: string): boolean {
  return answerOf(sample(options), sealedEvent({ id })) === undefined;
}

/** How far apart two neighbouring fractions are. */
const STEP = 2 ** -32;

describe('the fraction of a key', () => {
  it.each([
    ['', 0.6689221884589642],
    ['a', 0.10352621669881046],
    ['user-1', 0.4670340372249484],
    ['user-2', 0.1986513624433428],
    ['0192f0a0-0000-7000-8000-000000000001', 0.8582496263552457],
    ['Zoë 😀', 0.5291456726845354],
  ])('%j is the same for ever: %d', (key, fraction) => {
    expect(keeps({ rate: fraction }, key)).toBe(false);
    expect(keeps({ rate: fraction + STEP }, key)).toBe(true);
  });

  it.each([
    ['ids that follow each other', (n: number) => `user-${n}`],
    ['numbers', (n: number) => String(n)],
    [
      'UUIDs that differ in a few digits',
      (n: number) => `0192f0a0-0000-7${n.toString(16).padStart(3, '0')}-8000-000000000001`,
    ],
  ])('is spread evenly: %s', (_, keyOf) => {
    const keys = Array.from({ length: 4_096 }, (__, n) => keyOf(n));
    const keptBelow = Array.from({ length: 17 }, (__, sixteenth) => {
      const processor = sample({ rate: sixteenth / 16 });
      return keys.filter((id) => answerOf(processor, sealedEvent({ id })) === undefined).length;
    });
    const buckets = keptBelow.slice(1).map((kept, index) => kept - (keptBelow[index] ?? 0));
    // 256 each; five standard deviations are 78.
    expect(Math.min(...buckets)).toBeGreaterThan(178);
    expect(Math.max(...buckets)).toBeLessThan(334);
  });
});

describe('sample', () => {
  it.each([0, 0.01, 0.1, 0.5, 0.9, 1])('keeps a share of %d', (share) => {
    const processor = sample({ rate: share });
    const events = 20_000;
    let kept = 0;
    for (let n = 0; n < events; n++) {
      const event = sealedEvent({ id: `id-${n}` });
      kept += answerOf(processor, event) === undefined ? 1 : 0;
    }
    expect(Math.abs(kept / events - share)).toBeLessThan(0.015);
    expect(kept === 0).toBe(share === 0);
    expect(kept === events).toBe(share === 1);
  });

  it('decides alike for the same key, and keeps who was in when the rate rises', () => {
    fc.assert(
      fc.property(fc.string(), rate, rate, (id, a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        expect(keeps({ rate: low }, id)).toBe(keeps({ rate: low }, id));
        expect(!keeps({ rate: low }, id) || keeps({ rate: high }, id)).toBe(true);
      }),
    );
  });

  it('keeps or drops all events of a key together', () => {
    const { tracker, memory } = record({
      processors: [sample({ rate: 0.5, by: 'context.user.id' })],
    });
    for (let n = 0; n < 400; n++) {
      tracker.emit('e', {}, { context: { user: { id: n % 40 } } });
    }
    const counts = new Map<unknown, number>();
    for (const { context } of memory.events) {
      const key = JSON.stringify(context);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(new Set(counts.values())).toStrictEqual(new Set([10]));
    expect(counts.size).toBeGreaterThan(10);
    expect(counts.size).toBeLessThan(30);
    expect(tracker.stats().dropped).toStrictEqual({
      sampled: 400 - memory.events.length,
    });
  });

  it('takes a number and its digits for the same key, by path or function', () => {
    fc.assert(
      fc.property(fc.integer(), rate, (id, share) => {
        const event = (key: string | number) => eventOf({ data: { key } });
        const path = sample({ rate: share, by: 'data.key' });
        const fn = sample({
          rate: share,
          by: ({ data }) => BigInt(data['key'] as string),
        });
        const answer = answerOf(path, event(id));
        expect(answerOf(path, event(String(id)))).toBe(answer);
        expect(answerOf(fn, event(id))).toBe(answer);
      }),
    );
  });

  it.each([
    ['a missing key', 'data.missing'],
    ['null', 'data.none'],
    ['a function that returns nothing', () => undefined],
  ])('decides by the id where there is %s', (_, by) => {
    for (let n = 0; n < 50; n++) {
      const event = eventOf({ id: `id-${n}`, data: { none: null } });
      expect(answerOf(sample({ rate: 0.5, by }), event)).toBe(answerOf(sample({ rate: 0.5 }), event));
    }
  });

  it('takes the empty string for a key like any other', () => {
    const fraction = 0.6689221884589642;
    for (let n = 0; n < 20; n++) {
      const event = eventOf({ id: `id-${n}`, data: { key: '' } });
      expect(answerOf(sample({ rate: fraction, by: 'data.key' }), event)).toBe('dropped: sampled');
      expect(answerOf(sample({ rate: fraction + STEP, by: 'data.key' }), event)).toBeUndefined();
    }
  });

  it('distinguishes objects at a path by their JSON', () => {
    const processor = sample({ rate: 0.5, by: 'data.key' });
    const answers = new Set<unknown>();
    for (let n = 0; n < 20; n++) {
      const event = eventOf({ data: { key: n % 2 === 0 ? { n } : [n] } });
      answers.add(answerOf(processor, event));
    }
    expect(answers).toStrictEqual(new Set([undefined, 'dropped: sampled']));
  });

  it('fails closed on a function that returns an object', () => {
    const by = untyped<() => string>(() => Promise.resolve('u'));
    const { tracker, memory, codes, reports } = record({
      processors: [sample({ rate: 1, by })],
    });
    tracker.emit('e');
    expect(memory.events).toStrictEqual([]);
    expect(codes()).toStrictEqual(['processor_failed']);
    expect(errorMessage(reports[0]?.error)).toBe(
      'expected "by" to return a string, a number or a boolean, got an empty object',
    );
  });

  it('names everything that is wrong at once', () => {
    const options = { rate: 2, by: 'user.id', extra: true };
    expect(problemsOf(() => sample(untyped(options)))).toStrictEqual([
      'the arguments of sample() are wrong:',
      'extra is not an option; known are rate, by',
      'expected rate to be a number from 0 to 1, got 2',
      'expected by to be id, name, timestamp, data, context or a dotted path below data or context, got "user.id"',
    ]);
  });

  it('is a filter with a name', () => {
    expectFilter(sample({ rate: 1 }), 'sample');
  });

  it.each([undefined, null, 0.5, {}, { rate: -0.1 }, { rate: NaN }, { rate: '1' }])(
    'refuses %j',
    (options) => {
      expect(thrownBy(() => sample(untyped(options)))).toContain('the arguments of sample() are wrong');
    },
  );
});
