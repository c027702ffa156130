import { describe, expect, it } from '@jest/globals';
import type { TrackingEvent } from '../../../lib/core/event.js';
import { Dropped, drop, isDropped } from '../../../lib/core/processor.js';
import { record, through, untyped } from '../../support/recording.js';

describe('classes and objects as processors', () => {
  class Renaming {
    readonly suffix = '!';
    process(event: TrackingEvent): Partial<TrackingEvent> {
      return { name: event.name + this.suffix };
    }
  }

  it('are created once and called with themselves', () => {
    const run = through(Renaming, new Renaming(), { process: () => undefined });
    run.tracker.emit('a');
    expect(run.last().name).toBe('a!!');
  });

  it('declare themselves filters', () => {
    class Strict {
      readonly failClosed = true;
      process(): never {
        throw new Error('broken');
      }
    }
    const run = through(Strict);
    run.tracker.emit('a');
    expect(run.memory.events).toHaveLength(0);
    expect(run.reports).toMatchObject([{ message: expect.stringContaining('Strict') }]);
  });

  it('may have methods compiled to a prototype', () => {
    function Old(): void {
      // what a compiler makes of a class
    }
    (Old as unknown as { prototype: object }).prototype = {
      process: () => ({ name: 'old' }),
      other: 1,
    };
    const run = through(Old);
    run.tracker.emit('a');
    expect(run.last().name).toBe('old');
  });

  it.each<[string, unknown, string]>([
    [
      'a named function',
      function scrub() {
        throw new Error('x');
      },
      'scrub failed',
    ],
    [
      'an arrow function',
      [
        () => {
          throw new Error('x');
        },
      ][0],
      'a processor failed',
    ],
    [
      'a class',
      class Scrub {
        process(): never {
          throw new Error('x');
        }
      },
      'Scrub failed',
    ],
    [
      'an instance',
      new (class Scrub {
        process(): never {
          throw new Error('x');
        }
      })(),
      'Scrub failed',
    ],
    [
      'an object',
      {
        process: () => {
          throw new Error('x');
        },
      },
      'a processor failed',
    ],
    [
      'an object without prototype',
      Object.assign(Object.create(null) as object, {
        process: () => {
          throw new Error('x');
        },
      }),
      'a processor failed',
    ],
    [
      'a class whose name is no text',
      class {
        static override = 1;
        static name(): void {
          /* not a name */
        }
        process(): never {
          throw new Error('x');
        }
      },
      'a processor failed',
    ],
  ])('are named in reports: %s', (_, processor, message) => {
    const run = through(processor);
    run.tracker.emit('a');
    expect(run.last().name).toBe('a');
    expect(run.reports).toMatchObject([
      { code: 'processor_failed', message: expect.stringContaining(message) },
    ]);
  });
});

describe('child trackers', () => {
  it('look at their events before the tracker does, the innermost first', () => {
    const add = (letter: string) => (event: TrackingEvent) => ({
      ...event,
      name: event.name + letter,
    });
    const run = through(add('1'));
    const child = run.tracker.child({ processors: [add('2')] });
    child.child({ processors: [add('3')] }).emit('a');
    child.emit('b');
    run.tracker.emit('c');
    expect(run.memory.events.map(({ name }) => name)).toStrictEqual(['a321', 'b21', 'c1']);
  });

  it('share backends, counts and the end', async () => {
    const run = record();
    const child = run.tracker.child({});
    child.emit('a');
    expect(run.tracker.stats().accepted).toBe(1);
    expect(child.stats()).toStrictEqual(run.tracker.stats());
    expect(child.backend('memory')).toBe(run.memory);
    await child.close();
    run.tracker.emit('b');
    expect(run.memory.events).toHaveLength(1);
    expect(run.codes()).toStrictEqual(['closed']);
  });

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'expected options to be an object'],
    ['a text', 'x', 'got "x"'],
    ['a context that is none', { context: 5 }, 'expected context to be an object, got 5'],
    ['processors that are none', { processors: [7] }, 'processors[0]'],
    ['unknown options', { contxt: {}, backends: {} }, 'contxt is not an option'],
  ])('refuse %s', (_, options, message) => {
    const run = record();
    expect(() => run.tracker.child(untyped(options))).toThrow(
      expect.objectContaining({
        code: 'invalid_options',
        message: expect.stringContaining(message),
      }),
    );
  });
});

describe('drop', () => {
  it('is recognised across copies of the package', () => {
    expect(isDropped(drop('a'))).toBe(true);
    expect(isDropped({ [Symbol.for('nestjs-tracking.dropped')]: true, reason: 'b' })).toBe(true);
    expect(isDropped(null)).toBe(false);
    expect(isDropped({ reason: 'a' })).toBe(false);
    expect(drop('a')).toBeInstanceOf(Dropped);
  });

  it.each([undefined, '', 7, null])('without a reason counts as filtered: %p', (reason) => {
    expect(drop(untyped(reason)).reason).toBe('filtered');
  });

  it('keeps at most 100 reasons apart', () => {
    let n = 0;
    const run = through(() => drop(`reason ${n++ % 150}`));
    for (let i = 0; i < 300; i++) {
      run.tracker.emit('a');
    }
    const { dropped } = run.tracker.stats();
    expect(Object.keys(dropped)).toHaveLength(101);
    expect(dropped['reason 99']).toBe(2);
    expect(dropped['other']).toBe(100);
  });

  it.each(['__proto__', 'constructor', 'toString'])('takes %s for a reason like any other', (reason) => {
    const run = through(() => drop(reason));
    run.tracker.emit('a');
    expect(Object.entries(run.tracker.stats().dropped)).toStrictEqual([[reason, 1]]);
  });
});
