import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { packValues, unpackValues } from '../../../lib/lmdb/packed-values.js';

describe('packed values', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constant(0), fc.maxSafeInteger()), {
          minLength: 1,
          maxLength: 31,
        }),
        (numbers) => {
          const values = Float64Array.from(numbers, (number) => number + 0);

          expect(unpackValues(packValues(values), values.length)).toEqual(values);
        },
      ),
    );
  });

  it('take room for what is counted alone', () => {
    const values = new Float64Array(31);
    expect(packValues(values)).toHaveLength(0);
    values[30] = 127;
    expect(packValues(values)).toHaveLength(2);
    values[0] = -Number.MAX_SAFE_INTEGER;
    expect(packValues(values)).toHaveLength(11);
  });

  it('are all 0 where nothing is stored', () => {
    expect(unpackValues(undefined, 24)).toEqual(new Float64Array(24));
  });
});
