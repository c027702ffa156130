import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { NamePattern } from '../../../lib/core/patterns.js';
import type { MatchPatterns } from '../../../lib/processors/filters.js';
import { allow, block, consent, match } from '../../../lib/processors/filters.js';
import { record, untyped } from '../../support/recording.js';
import { answerOf, expectFilter, eventOf, problemsOf, sealedEvent } from './events.js';

function allows(pattern: NamePattern, name: string): boolean {
  return answerOf(allow([pattern]), sealedEvent({ name })) === undefined;
}

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

  it('reads the names once', () => {
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
    expect(problemsOf(() => factory(untyped(names)))).toStrictEqual([
      `the arguments of ${name}() are wrong:`,
      'expected names[1] to be a name, a glob or a RegExp, got ""',
      'expected names[2] to be a name, a glob or a RegExp, got 7',
      'expected names[3] to be a name, a glob or a RegExp, got undefined',
      'expected names[4] to be a name, a glob or a RegExp, got null',
    ]);
  });

  it.each([
    ['order.created', '"order.created"'],
    [undefined, 'undefined'],
    [null, 'null'],
    [7, '7'],
    [{ a: 1 }, 'an object with a'],
  ])('refuses %j for a list', (names, shown) => {
    expect(problemsOf(() => factory(untyped(names)))).toStrictEqual([
      `the arguments of ${name}() are wrong:`,
      `expected names to be an array of names, globs and RegExps, got ${shown}`,
    ]);
  });
});

describe('a glob', () => {
  it.each([
    ['order.created', 'order.created', true],
    ['order.created', 'order.created.', false],
    ['order.*', 'order.created', true],
    ['order.*', 'order.', true],
    ['order.*', 'order', false],
    ['order.*', 'preorder.created', false],
    ['*.created', 'order.created', true],
    ['*', '', true],
    ['?', '', false],
    ['', '', true],
    ['', 'x', false],
    ['order.?', 'order.1', true],
    ['order.?', 'order.12', false],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-c-b', false],
    ['a*b', 'ab ab', true],
    ['***', 'anything', true],
    ['a.c', 'abc', false],
    ['[a]', 'a', false],
    ['a*', 'a*', true],
    ['*\n*', 'a\nb', true],
    ['?', '😀', true],
    ['?😀', 'x😀', true],
    ['??', '😀', false],
  ])('%j on %j: %j', (glob, name, expected) => {
    expect(answerOf(match({ name: glob }), sealedEvent({ name })) === undefined).toBe(expected);
    expect(glob === '' || allows(glob, name) === expected).toBe(true);
  });

  it('agrees with the plain definition', () => {
    const word = (...units: string[]) =>
      fc.array(fc.constantFrom(...units), { maxLength: 9 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(
        word('a', 'b', '.', '*', '*', '?', '😀').filter((glob) => glob !== ''),
        word('a', 'b', '.', '*', '?', '😀'),
        (glob, name) => {
          expect(allows(glob, name)).toBe(naive(Array.from(glob), Array.from(name)));
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('matches every string that was made from it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom('*', '?'), fc.string()), { maxLength: 12 }),
        fc.string(),
        (parts, run) => {
          const literal = (part: string) => part.replace(/[*?]/g, '');
          const glob = parts.map((part) => (part === '*' || part === '?' ? part : literal(part)));
          const name = glob.map((part) => (part === '*' ? run : part === '?' ? 'x' : part));
          const processor = match({ name: glob.join('') });
          expect(answerOf(processor, sealedEvent({ name: name.join('') }))).toBeUndefined();
        },
      ),
    );
  });

  it('is not slowed down by many stars', () => {
    const glob = `${'*a'.repeat(40)}b`;
    expect(allows(glob, 'a'.repeat(100_000))).toBe(false);
    expect(allows(glob, `${'a'.repeat(100_000)}b`)).toBe(true);
  });
});

/** Says it as plainly as possible, in exponential time. */
function naive(glob: readonly string[], name: readonly string[]): boolean {
  const [symbol, ...symbols] = glob;
  if (symbol === undefined) {
    return name.length === 0;
  }
  if (symbol === '*') {
    return naive(symbols, name) || (name.length > 0 && naive(glob, name.slice(1)));
  }
  return name.length > 0 && (symbol === '?' || symbol === name[0]) && naive(symbols, name.slice(1));
}

describe('a RegExp', () => {
  it.each(['', 'g', 'y', 'gy'])('with flags %j gives the same result each time', (flags) => {
    const given = new RegExp('or', flags);
    const processor = allow([given]);
    const answers = [1, 2, 3, 4].map(() => answerOf(processor, sealedEvent({ name: 'order' })));
    expect(answers).toStrictEqual(Array(4).fill(undefined));
    const minor = answerOf(processor, sealedEvent({ name: 'minor' }));
    expect(minor).toBe(flags.includes('y') ? 'dropped: filtered' : undefined);
    expect(given.lastIndex).toBe(0);
  });

  it('is not disturbed by an app that uses the same object', () => {
    const given = /order/g;
    const processor = match({ name: given });
    given.exec('order order');
    expect(answerOf(processor, sealedEvent({ name: 'order' }))).toBeUndefined();
    expect(given.lastIndex).toBe(5);
  });
});

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
    const patterns = { 'org.x': 'a', name: ['a', null, NaN], id: {}, 'data..': 1 };
    expect(problemsOf(() => match(untyped(patterns)))).toStrictEqual([
      'the arguments of match() are wrong:',
      'expected the name of patterns["org.x"] to be id, name, timestamp, data, context or a dotted path below data or context, got "org.x"',
      'expected patterns["name"][1] to be a glob, a RegExp, a number, true, false or a list of them, got null',
      'expected patterns["name"][2] to be a glob, a RegExp, a number, true, false or a list of them, got NaN',
      'expected patterns["id"] to be a glob, a RegExp, a number, true, false or a list of them, got an empty object',
      'expected the name of patterns["data.."] to be a path whose steps are keys, indexes or "*" alone; in a key, a "\\" stands before . * [ ], got "data.."',
    ]);
  });

  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    ['name', '"name"'],
    [['name'], 'an array of 1'],
  ])('refuses %j', (patterns, shown) => {
    expect(problemsOf(() => match(untyped(patterns)))[1]).toBe(
      `expected patterns to be an object of patterns by path, got ${shown}`,
    );
  });
});

describe('consent', () => {
  it('asks with the event', () => {
    const { tracker, memory } = record({
      processors: [consent(({ context }) => context['consent'] === 'all')],
    });
    tracker.emit('yes', {}, { context: { consent: 'all' } });
    tracker.emit('no', {}, { context: { consent: 'essential' } });
    tracker.emit('unasked');
    expect(memory.events.map(({ name }) => name)).toStrictEqual(['yes']);
    expect(tracker.stats().dropped).toStrictEqual({ consent: 2 });
  });

  it.each([false, undefined, null, 1, 'yes', {}])('takes %j for a no, now and later', async (answer) => {
    const { tracker, memory, reports } = record({
      processors: [consent(({ name }) => untyped(name === 'now' ? answer : Promise.resolve(answer)))],
    });
    expect((await tracker.emitAsync('now')).dropped).toBe('consent');
    expect((await tracker.emitAsync('later')).dropped).toBe('consent');
    expect(memory.events).toStrictEqual([]);
    expect(reports).toStrictEqual([]);
  });

  it('waits for the answer', async () => {
    const { tracker, memory } = record({
      processors: [consent(() => Promise.resolve(true))],
    });
    await tracker.emitAsync('e');
    expect(memory.events).toHaveLength(1);
  });

  it.each<[string, () => never | Promise<boolean>]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ])('fails closed when the check %s', async (_, check) => {
    const { tracker, memory, codes } = record({
      processors: [consent(check)],
    });
    await tracker.emitAsync('e');
    expect(memory.events).toStrictEqual([]);
    expect(codes()).toStrictEqual(['processor_failed']);
    expect(tracker.stats().dropped).toStrictEqual({ filter_failed: 1 });
  });

  it('fails closed when the check takes too long', async () => {
    const { tracker, memory, clock } = record({
      processors: [consent(() => new Promise(() => undefined))],
    });
    const sent = tracker.emitAsync('e');
    await clock.advance(5_000);
    expect((await sent).dropped).toBe('timeout');
    expect(memory.events).toStrictEqual([]);
  });

  it('is a filter with a name', () => {
    expectFilter(
      consent(() => true),
      'consent',
    );
  });

  it.each([
    [undefined, 'undefined'],
    [true, 'true'],
    [{}, 'an empty object'],
  ])('refuses %j', (check, shown) => {
    expect(problemsOf(() => consent(untyped(check)))[1]).toBe(
      `expected check to be a function, got ${shown}`,
    );
  });
});
