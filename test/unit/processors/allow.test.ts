import { describe, expect, it } from '@jest/globals';
import { isTrackingError } from '../../../lib/core/errors.js';
import { allow } from '../../../lib/processors/allow.js';
import { block } from '../../../lib/processors/block.js';
import type { NamePattern } from '../../../lib/core/name-patterns.js';
import { record, untyped } from '../../support/recording.js';
import { answerOf, expectFilter, sealedEvent, thrownBy } from './events.js';

const PATTERNS: [NamePattern[], string, boolean][] = [
  [['order.created'], 'order.created', true],
  [['order.created'], 'order.created2', false],
  [['user.*', 'order.*'], 'order.created', true],
  [[/^order/], 'order.created', true],
  [[/created/], 'order.created', true],
  [[/^created/], 'order.created', false],
  [['Order.created'], 'order.created', false],
  [['order.created', /x/g], 'constructor', false],
  [[], 'order.created', false],
];

describe('allow', () => {
  it.each(PATTERNS)('%j lets %j through: %j', (names, name, passes) => {
    expect(answerOf(allow(names), sealedEvent({ name }))).toBe(passes ? undefined : 'dropped: filtered');
  });

  it('takes the names once', () => {
    const names = ['order.created'];
    const processor = allow(names);
    names.pop();
    expect(answerOf(processor, sealedEvent())).toBeUndefined();
  });
});

describe('block', () => {
  it.each(PATTERNS)('%j drops %j: %j', (names, name, drops) => {
    expect(answerOf(block(names), sealedEvent({ name }))).toBe(drops ? 'dropped: filtered' : undefined);
  });
});

describe.each([
  ['allow', allow],
  ['block', block],
])('%s', (name, factory) => {
  it('is a filter with a name', () => {
    expectFilter(factory([]), name);
  });

  it('counts what it drops', () => {
    const { tracker, memory } = record({
      processors: [factory(name === 'allow' ? ['kept'] : ['lost'])],
    });
    tracker.emit('kept');
    tracker.emit('lost');
    expect(memory.events.map((event) => event.name)).toStrictEqual(['kept']);
    expect(tracker.stats().dropped).toStrictEqual({ filtered: 1 });
  });

  it('names everything that is wrong at once', () => {
    const names: unknown[] = ['ok', '', 7, 'a hole', null];
    // eslint-disable-next-line @typescript-eslint/no-array-delete -- arrays with holes exist
    delete names[3];
    const work = () => factory(untyped(names));
    expect(thrownBy(work)).toBe(
      [
        `the arguments of ${name}() are wrong:`,
        '  - expected names[1] to be a name, a glob or a RegExp, got ""',
        '  - expected names[2] to be a name, a glob or a RegExp, got 7',
        '  - expected names[3] to be a name, a glob or a RegExp, got undefined',
        '  - expected names[4] to be a name, a glob or a RegExp, got null',
      ].join('\n'),
    );
  });

  it.each(['order.created', undefined, null, 7, { a: 1 }])('refuses %j for a list', (names) => {
    let error: unknown;
    try {
      factory(untyped(names));
    } catch (thrown) {
      error = thrown;
    }
    expect(isTrackingError(error)).toBe(true);
    expect(error).toMatchObject({
      code: 'invalid_options',
      message: expect.stringContaining('expected names to be an array of names, globs and RegExps, got'),
    });
  });
});
