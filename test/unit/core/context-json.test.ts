import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { TrackingEvent } from 'nestjs-tracking/core';
import { createTracker, eventJson, eventBytes } from 'nestjs-tracking/core';
import { memoryBackend } from 'nestjs-tracking/testing';

function setUp() {
  const memory = memoryBackend();
  const tracker = createTracker({
    backends: { memory },
    onError: () => undefined,
  });
  const last = (): TrackingEvent => memory.events.at(-1) as TrackingEvent;
  return { tracker, last };
}

/** Keys that meet, hide each other, and stand elsewhere in an object than they were added. */
const keys = fc.constantFrom('a', 'b', 'c', '1', '07', 'ü', 'toString');
const values = fc.oneof(
  fc.constantFrom<unknown>(1, -0, 'x', 'ß "quoted"', true, null, [1, 'y']),
  fc.dictionary(keys, fc.constantFrom<unknown>(1, 'x', null), { maxKeys: 2 }),
);
const frames = fc.array(
  fc.tuple(fc.constantFrom('first', 'second', 'third'), fc.dictionary(keys, values, { maxKeys: 4 })),
  { maxLength: 5 },
);

describe('the JSON of a context', () => {
  it('is that of the merged frames, whatever was entered before', () => {
    const { tracker, last } = setUp();
    fc.assert(
      fc.property(frames, (entered) => {
        const emit = (rest: typeof entered): void => {
          const [frame, ...others] = rest;
          if (frame === undefined) {
            tracker.emit('done');
          } else {
            tracker.context(frame[0], frame[1], () => {
              emit(others);
            });
          }
        };
        emit(entered);

        const event = last();
        expect(eventJson(event)).toBe(JSON.stringify(event));
        expect(eventBytes(event)).toBe(Buffer.byteLength(eventJson(event)));
      }),
      { numRuns: 500 },
    );
  });

  it('ends with the context given to one event', () => {
    const { tracker, last } = setUp();
    tracker.context('outer', { a: 1, b: 2 }, () => {
      tracker.emit('done', {}, { context: { b: null, c: 'ü' } });
    });
    expect(eventJson(last())).toContain('"context":{"a":1,"c":"ü"}');
  });
});

describe('a context entered again', () => {
  const enter = (...frames: object[]) => {
    const { tracker, last } = setUp();
    return frames.map((data) =>
      tracker.context('work', data, () => {
        tracker.emit('done');
        return last().context;
      }),
    );
  };

  it.each<[string, object, object]>([
    ['another value', { a: { b: 1 } }, { a: { b: 2 } }],
    ['a key more', { a: 1 }, { a: 1, b: 2 }],
    ['a key less', { a: 1, b: 2 }, { a: 1 }],
    ['a key that came in place of another', { a: 1 }, { b: 1 }],
    ['a key without a value', { a: 1, b: 2 }, { b: 2, c: undefined }],
    ['a key that all objects inherit', { a: 1 }, { toString: 'x' }],
    ['an object in place of a value', { a: 'x' }, { a: { x: 'x' } }],
    ['a list of the same length', { a: ['x'] }, { a: ['y'] }],
    ['what is no object literal', { a: 1 }, new Map([['a', 1]])],
  ])('shows %s', (_, before, after) => {
    const [, shown] = enter(before, after);
    const [expected] = enter(after);
    expect(shown).toEqual(expected);
  });

  it('shows what was changed in the data since', () => {
    const data = { user: { id: 'u_1' } };
    const { tracker, last } = setUp();
    tracker.context('work', data, () => {
      tracker.emit('done');
    });
    data.user.id = 'u_2';
    tracker.context('work', data, () => {
      tracker.emit('done');
    });
    expect(last().context).toEqual({ user: { id: 'u_2' } });
  });

  it('is not taken for another by a key __proto__ or by functions', () => {
    const hostile = JSON.parse('{"__proto__": {}}') as object;
    const [, viaProto, viaFunction] = enter({ a: 1 }, hostile, {
      toString: Object.prototype.toString,
    });
    expect(viaProto).toEqual({});
    expect(viaFunction).toEqual({});
  });

  it('is entered although looking at its data throws', () => {
    const data = {
      get a(): number {
        throw new Error('no');
      },
    };
    const [, shown] = enter({ a: 1 }, data);
    expect(shown).toEqual({ a: '[Unreadable]' });
  });
});
