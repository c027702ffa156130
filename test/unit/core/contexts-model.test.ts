import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { JsonObject } from '../../../lib/core/json.js';
import { record } from '../../support/recording.js';

/**
 * What a context is, told as naively as possible: the frames that a scope sees, in order. One without data hides what was
 * entered under its name further out.
 */
type Frames = readonly (readonly [name: string, data: object | undefined])[];

type Step =
  | { readonly kind: 'enter'; readonly name: string; readonly data: object }
  | { readonly kind: 'exit'; readonly name: string }
  | { readonly kind: 'look' }
  | {
      readonly kind: 'nest';
      readonly name: string;
      readonly data: object;
      readonly steps: readonly Step[];
      readonly ending: 'returns' | 'throws';
    };

const names = fc.constantFrom('a', 'b', 'c');
const values = fc.constantFrom<unknown>(1, 2, null, undefined, { deep: 1 });
const frames = fc.dictionary(fc.constantFrom('x', 'y', 'z'), values, {
  noNullPrototype: true,
});

const steps: fc.Arbitrary<Step[]> = fc.letrec<{ step: Step; steps: Step[] }>((tie) => ({
  steps: fc.array(tie('step'), { maxLength: 6 }),
  step: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ kind: fc.constant('look' as const) }),
    fc.record({
      kind: fc.constant('enter' as const),
      name: names,
      data: frames,
    }),
    fc.record({ kind: fc.constant('exit' as const), name: names }),
    fc.record({
      kind: fc.constant('nest' as const),
      name: names,
      data: frames,
      steps: tie('steps'),
      ending: fc.constantFrom('returns' as const, 'throws' as const),
    }),
  ),
})).steps;

const without = (list: Frames, name: string): Frames => list.filter(([other]) => other !== name);

function merged(list: Frames): JsonObject {
  const result: Record<string, unknown> = {};
  for (const [, data] of list) {
    for (const [key, value] of Object.entries(data ?? {})) {
      if (value === null) {
        Reflect.deleteProperty(result, key);
      } else if (value !== undefined) {
        result[key] = value;
      }
    }
  }
  return result as JsonObject;
}

describe('contexts', () => {
  it('behave like the naive model, in and outside scopes', () => {
    fc.assert(
      fc.property(steps, frames, (program, option) => {
        const { tracker, memory, codes } = record({ context: option });
        const base: Frames[] = [[]];
        let unknown = 0;
        let thrownAsExpected = true;

        const play = (list: readonly Step[], scopes: Frames[]): void => {
          for (const step of list) {
            const current = scopes.at(-1) ?? [];
            switch (step.kind) {
              case 'enter':
                tracker.enterContext(step.name, step.data);
                scopes[scopes.length - 1] = [...without(current, step.name), [step.name, step.data]];
                break;
              case 'exit':
                tracker.exitContext(step.name);
                if (current.some(([name, data]) => name === step.name && data !== undefined)) {
                  const isOuter = scopes.at(-2)?.some(([name]) => name === step.name) === true;
                  const hidden: Frames = isOuter ? [[step.name, undefined]] : [];
                  scopes[scopes.length - 1] = [...without(current, step.name), ...hidden];
                } else {
                  unknown++;
                }
                break;
              case 'look':
                break;
              case 'nest': {
                const inner: Frames = [
                  ...without(scopes === base ? [] : current, step.name),
                  [step.name, step.data],
                ];
                const run = (): void => {
                  tracker.context(step.name, step.data, () => {
                    play(step.steps, [...(scopes === base ? [] : scopes), inner]);
                    if (step.ending === 'throws') {
                      throw new RangeError('the work');
                    }
                  });
                };
                // What the work throws comes out, and nothing else does.
                let thrown: unknown;
                try {
                  run();
                } catch (error) {
                  thrown = error;
                }
                thrownAsExpected &&= thrown instanceof RangeError === (step.ending === 'throws');
                break;
              }
            }
            // A frame of the scope hides the one of its name outside any scope.
            const own = scopes === base ? [] : (scopes.at(-1) ?? []);
            const outside = own.reduce<Frames>((list, [name]) => without(list, name), base[0] ?? []);
            const expected = merged([['option', option], ...outside, ...own]);
            expect(tracker.resolveContext()).toStrictEqual(expected);
            tracker.emit('look');
            expect(memory.events.at(-1)?.context).toStrictEqual(expected);
          }
        };
        play(program, base);
        expect(thrownAsExpected).toBe(true);
        expect(codes()).toStrictEqual(Array.from({ length: unknown }, () => 'unknown_context'));
      }),
      { numRuns: 500 },
    );
  });
});
