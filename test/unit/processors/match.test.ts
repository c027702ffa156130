import { describe, expect, it } from '@jest/globals';
import type { MatchPatterns } from '../../../lib/processors/match.js';
import { match } from '../../../lib/processors/match.js';
import { record, untyped } from '../../support/recording.js';
import { answerOf, expectFilter, eventOf, sealedEvent, thrownBy } from './events.js';

const event = eventOf({
  data: {
    org: 'eu-west',
    amount: 5,
    zero: 0,
    paid: true,
    text5: '5',
    none: null,
    empty: '',
    tags: ['new', 'gift'],
    items: [{ sku: 'a1' }, { sku: 'b2', gift: true }],
  },
  context: { user: { id: 'u1' } },
});

describe('match', () => {
  it.each<[MatchPatterns, boolean]>([
    [{}, true],
    [{ name: 'order.created' }, true],
    [{ name: 'order' }, false],
    [{ name: ['user.*', 'order.*'] }, true],
    [{ name: [] }, false],
    [{ 'data.org': /west/ }, true],
    [{ 'data.org': /^west/ }, false],
    [{ 'data.org': 'eu-*', 'context.user.id': 'u?' }, true],
    [{ 'data.org': 'eu-*', 'context.user.id': 'v?' }, false],
    [{ 'data.amount': 5 }, true],
    [{ 'data.amount': 6 }, false],
    [{ 'data.amount': '5' }, false],
    [{ 'data.amount': /5/ }, false],
    [{ 'data.text5': 5 }, false],
    [{ 'data.text5': '5' }, true],
    [{ 'data.zero': 0 }, true],
    [{ 'data.zero': false }, false],
    [{ 'data.paid': true }, true],
    [{ 'data.paid': 'true' }, false],
    [{ 'data.none': 'null' }, false],
    [{ 'data.none': /.*/ }, false],
    [{ 'data.missing': /.*/ }, false],
    [{ 'data.missing': '*' }, false],
    [{ 'data.empty': '' }, true],
    [{ 'data.org': '' }, false],
    [{ 'data.tags': 'new' }, false],
    [{ 'data.tags': /new/ }, false],
    [{ 'data.tags.*': 'gift' }, true],
    [{ 'data.tags.0': 'gift' }, false],
    [{ 'data.items.*.gift': true }, true],
    [{ 'data.items.*.sku': [/^c/, 'b?'] }, true],
    [{ 'data.org': [1, true, /west$/g] }, true],
  ])('%j: %j', (patterns, passes) => {
    const processor = match(patterns);
    const expected = passes ? undefined : 'dropped: filtered';
    expect(answerOf(processor, event)).toBe(expected);
    expect(answerOf(processor, event)).toBe(expected);
  });

  it('does not read the payload for the name', () => {
    expect(answerOf(match({ name: 'order.*' }), sealedEvent())).toBeUndefined();
  });

  it('is a filter with a name, in a tracker', () => {
    const processor = match({ 'data.n': [1, 2] });
    expectFilter(processor, 'match');
    const { tracker, memory } = record({ processors: [processor] });
    [1, 2, 3].forEach((n) => {
      tracker.emit('e', { n });
    });
    expect(memory.events.map(({ data }) => data)).toStrictEqual([{ n: 1 }, { n: 2 }]);
    expect(tracker.stats().dropped).toStrictEqual({ filtered: 1 });
  });

  it('names everything that is wrong at once', () => {
    const patterns = {
      'org.x': 'a',
      name: ['a', null, NaN],
      id: {},
      'data..': 1,
    };
    const message = thrownBy(() => match(untyped(patterns)));
    expect(message.split('\n')).toStrictEqual([
      'the arguments of match() are wrong:',
      '  - expected the path "org.x" to be a dotted path that starts with id, name, timestamp, data, context, got "org.x"',
      '  - expected patterns["name"][1] to be a glob, a RegExp, a number, true, false or a list of them, got null',
      '  - expected patterns["name"][2] to be a glob, a RegExp, a number, true, false or a list of them, got NaN',
      '  - expected patterns["id"] to be a glob, a RegExp, a number, true, false or a list of them, got an empty object',
      '  - expected the path "data.." to be a dotted path that starts with id, name, timestamp, data, context, got "data.."',
    ]);
  });

  it.each([undefined, null, 'name', ['name']])('refuses %j', (patterns) => {
    expect(thrownBy(() => match(untyped(patterns)))).toContain(
      'expected patterns to be an object of patterns by path',
    );
  });
});
