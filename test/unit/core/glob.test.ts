import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { globMatcher, isGlob, regExpMatcher } from '../../../lib/core/glob.js';

/** Says it as plainly as possible, in exponential time. */
function naive(pattern: readonly string[], text: readonly string[]): boolean {
  const [symbol, ...symbols] = pattern;
  if (symbol === undefined) {
    return text.length === 0;
  }
  if (symbol === '*') {
    return naive(symbols, text) || (text.length > 0 && naive(pattern, text.slice(1)));
  }
  return text.length > 0 && (symbol === '?' || symbol === text[0]) && naive(symbols, text.slice(1));
}

const word = (...units: string[]) =>
  fc.array(fc.constantFrom(...units), { maxLength: 9 }).map((u) => u.join(''));

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
  ])('%j on %j: %j', (pattern, text, expected) => {
    expect(globMatcher(pattern)(text)).toBe(expected);
  });

  it('agrees with the plain definition', () => {
    fc.assert(
      fc.property(
        word('a', 'b', '.', '*', '*', '?', '😀'),
        word('a', 'b', '.', '*', '?', '😀'),
        (pattern, text) => {
          expect(globMatcher(pattern)(text)).toBe(naive(Array.from(pattern), Array.from(text)));
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('matches every text that was made from it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom('*', '?'), fc.string()), {
          maxLength: 12,
        }),
        fc.string(),
        (parts, run) => {
          const literal = (part: string) => part.replace(/[*?]/g, '');
          const pattern = parts.map((part) => (part === '*' || part === '?' ? part : literal(part)));
          const text = pattern.map((part) => (part === '*' ? run : part === '?' ? 'x' : part));
          expect(globMatcher(pattern.join(''))(text.join(''))).toBe(true);
        },
      ),
    );
  });

  it('is not slowed down by many stars', () => {
    const matches = globMatcher(`${'*a'.repeat(40)}b`);
    expect(matches('a'.repeat(100_000))).toBe(false);
    expect(matches(`${'a'.repeat(100_000)}b`)).toBe(true);
  });

  it.each([
    ['order.created', false],
    ['order.*', true],
    ['order.?', true],
  ])('%j is one: %j', (pattern, expected) => {
    expect(isGlob(pattern)).toBe(expected);
  });
});

describe('a RegExp', () => {
  it.each(['', 'g', 'y', 'gy'])('with flags %j does not flip-flop', (flags) => {
    const given = new RegExp('or', flags);
    const matches = regExpMatcher(given);
    expect([1, 2, 3, 4].map(() => matches('order'))).toStrictEqual(Array(4).fill(true));
    expect(matches('minor')).toBe(!flags.includes('y'));
    expect(given.lastIndex).toBe(0);
  });

  it('is not disturbed by an app that uses the same object', () => {
    const given = /order/g;
    const matches = regExpMatcher(given);
    given.exec('order order');
    expect(matches('order')).toBe(true);
    expect(given.lastIndex).toBe(5);
  });
});
