import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { eventJson } from '../../../lib/core/event.js';
import type { JsonObject, JsonValue } from '../../../lib/core/json.js';
import type { RedactAction, RedactOptions } from '../../../lib/processors/redact.js';
import { redact } from '../../../lib/processors/redact.js';
import { record, untyped } from '../../support/recording.js';
import { answerOf, eventOf, expectFilter, problemsOf, sealedEvent } from './events.js';

const data = {
  donor: { email: 'ann@example.org', name: 'Ann', age: 41 },
  cards: [{ number: '4111' }, { number: '5500', bank: 'B' }],
  tags: ['a', 'b', 'c'],
  none: null,
};

function redacted(paths: readonly string[], action?: RedactAction): JsonObject {
  const processor = redact({ paths, ...(action && { action }) });
  const answer = processor(eventOf({ data })) as { data: JsonObject };
  return answer.data;
}

function hmac(text: string, key: string): string {
  return createHmac('sha256', key).update(text).digest('hex');
}

describe('redact', () => {
  it('removes by default', () => {
    expect(redacted(['data.donor.email', 'data.none'])).toStrictEqual({
      donor: { name: 'Ann', age: 41 },
      cards: data.cards,
      tags: data.tags,
    });
  });

  it('masks whatever is there', () => {
    expect(redacted(['data.donor', 'data.none', 'data.cards.1.number'], 'mask')).toStrictEqual({
      donor: '***',
      cards: [{ number: '4111' }, { number: '***', bank: 'B' }],
      tags: data.tags,
      none: '***',
    });
  });

  it('reaches every element and key by `*`', () => {
    expect(redacted(['data.cards.*.number', 'data.donor.*'], 'mask')).toMatchObject({
      donor: { email: '***', name: '***', age: '***' },
      cards: [{ number: '***' }, { number: '***', bank: 'B' }],
    });
  });

  it('removes elements of an array by their place in the event', () => {
    expect(redacted(['data.tags.0', 'data.tags.1'])['tags']).toStrictEqual(['c']);
    expect(redacted(['data.tags.*'])['tags']).toStrictEqual([]);
  });

  it('hashes strings as they are, anything else as JSON, null not at all', () => {
    const processor = redact({
      paths: ['data.donor.email', 'data.donor.age', 'data.tags', 'data.none'],
      action: 'hash',
      key: 'k',
    });
    expect(processor(eventOf({ data }))).toMatchObject({
      data: {
        donor: {
          email: hmac('ann@example.org', 'k'),
          age: hmac('41', 'k'),
          name: 'Ann',
        },
        tags: hmac('["a","b","c"]', 'k'),
        none: null,
      },
    });
  });

  it('hashes once where several paths meet', () => {
    const processor = redact({
      paths: ['data.*.email', 'data.donor.email', 'data.donor.*'],
      action: 'hash',
      key: new TextEncoder().encode('k'),
    });
    expect(processor(eventOf({ data }))).toMatchObject({
      data: { donor: { email: hmac('ann@example.org', 'k') } },
    });
  });

  it('hashes alike in the whole process without a key, and unlike with another', () => {
    const hash = (key?: string): unknown =>
      redact({ paths: ['data.x'], action: 'hash', ...(key && { key }) })(eventOf({ data: { x: 'v' } }));
    expect(hash()).toStrictEqual(hash());
    expect(hash()).toMatchObject({
      data: { x: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect(hash('a')).not.toStrictEqual(hash());
    expect(hash('a')).not.toStrictEqual(hash('b'));
  });

  it('keeps the rest of a branch that several paths share', () => {
    expect(redacted(['data.*.name', 'data.donor.age', 'data.cards.0.*'], 'mask')).toStrictEqual({
      ...data,
      donor: { email: 'ann@example.org', name: '***', age: '***' },
      cards: [{ number: '***' }, { number: '5500', bank: 'B' }],
    });
  });

  it('works on context, and leaves the payload unread for it', () => {
    const context = { user: { id: 'u', ip: '10.0.0.1' } };
    const { tracker, last } = record({
      processors: [redact({ paths: ['context.user.ip'] })],
      context,
    });
    tracker.emit('e', data);
    expect({ ...last() }).toMatchObject({
      data,
      context: { user: { id: 'u' } },
    });
    expect(eventJson(last())).not.toContain('10.0.0.1');
    expect(answerOf(redact({ paths: ['context.user.ip'] }), sealedEvent())).toBeUndefined();
  });

  it('returns nothing when there is nothing to redact', () => {
    const paths = [
      'data.missing',
      'data.donor.missing.x',
      'data.tags.7',
      'data.tags.length',
      'data.none.x',
      'data.donor.name.x',
      'data.constructor',
      'context.*',
    ];
    expect(answerOf(redact({ paths }), eventOf({ data }))).toBeUndefined();
  });

  it('never writes to the prototype', () => {
    const own = JSON.parse('{"__proto__":{"x":1},"y":2}') as JsonObject;
    const answer = redact({ paths: ['data.y'] })(eventOf({ data: own }));
    const clean = (answer as { data: JsonObject }).data;
    expect(Object.getPrototypeOf(clean)).toBe(Object.prototype);
    expect(JSON.stringify(clean)).toBe('{"__proto__":{"x":1}}');
  });

  it('is a filter with a name', () => {
    expectFilter(redact({ paths: ['data.x'] }), 'redact');
  });

  it('fails closed', () => {
    const { tracker, memory, codes } = record({
      processors: [redact({ paths: ['data.x'], action: 'hash', key: broken() })],
    });
    tracker.emit('with', { x: 'secret' });
    tracker.emit('without', { y: 1 });
    expect(memory.events.map(({ name }) => name)).toStrictEqual(['without']);
    expect(codes()).toStrictEqual(['processor_failed']);
    expect(tracker.stats().dropped).toStrictEqual({ filter_failed: 1 });
  });

  it('names everything that is wrong at once, and never shows a key', () => {
    const options = {
      paths: ['email', 'data', 'name.x', 'data.ok', 7],
      action: 'scramble',
      key: '',
      extra: 1,
    };
    expect(problemsOf(() => redact(untyped(options)))).toStrictEqual([
      'the arguments of redact() are wrong:',
      'extra is not an option; known are paths, action, key',
      'expected paths[0] to be a dotted path below data or context, got "email"',
      'expected paths[1] to be a dotted path below data or context, got "data"',
      'expected paths[2] to be a dotted path below data or context, got "name.x"',
      'expected paths[4] to be a dotted path below data or context, got 7',
      `expected action to be 'remove' or 'mask' or 'hash', got "scramble"`,
      'key: expected a string or bytes, not empty',
    ]);
    for (const action of [undefined, 'remove', 'mask'] as const) {
      const given = { paths: ['data.x'], key: 'hidden-key', ...(action && { action }) };
      expect(problemsOf(() => redact(given))).toStrictEqual([
        'the arguments of redact() are wrong:',
        "key: only the action 'hash' takes a key",
      ]);
    }
  });

  it.each([[7], [new Uint8Array()], [null], [['k']]])('refuses %j for a key', (key) => {
    const given = untyped<RedactOptions>({ paths: ['data.x'], action: 'hash', key });
    expect(problemsOf(() => redact(given))[1]).toBe('key: expected a string or bytes, not empty');
  });

  it.each<[unknown, string]>([
    [undefined, 'expected paths to be a list of at least one dotted path, got undefined'],
    [null, 'expected options to be an object, got null'],
    [[], 'expected options to be an object, got an array of 0'],
    [{ paths: [] }, 'expected paths to be a list of at least one dotted path, got an array of 0'],
    [{ paths: 'data.x' }, 'expected paths to be a list of at least one dotted path, got "data.x"'],
  ])('refuses %j', (options, problem) => {
    expect(problemsOf(() => redact(untyped(options)))).toStrictEqual([
      'the arguments of redact() are wrong:',
      problem,
    ]);
  });

  it.each<RedactAction>(['remove', 'mask', 'hash'])(
    'leaves no piece of a secret and nothing else out: %s',
    (action) => {
      fc.assert(
        fc.property(treeWithSecrets, fc.array(fc.boolean()), (tree, stars) => {
          const secrets = secretsIn(tree);
          fc.pre(secrets.length > 0);
          const paths = secrets.map((steps) => ['data', 'tree', ...steps.map(escaped)].join('.'));
          const wide = secrets.map((steps) =>
            ['data', 'tree', ...steps.map((step, i) => (stars[i] ? '*' : escaped(step)))].join('.'),
          );
          const exact = throughRedact(tree, paths, action);
          const wider = throughRedact(tree, wide, action);
          expect(exact).not.toContain(SECRET);
          expect(wider).not.toContain(SECRET);
          expect(harmlessIn(exact)).toBe(harmlessIn(JSON.stringify(tree)));
        }),
      );
    },
  );
});

const SECRET = 'S3CR3T';
const HARMLESS = /harmless/g;

/** Looks like a key, and is not one. */
function broken(): Uint8Array {
  return Object.create(Uint8Array.prototype, {
    length: { value: 1 },
  }) as Uint8Array;
}

function escaped(key: string): string {
  return key.replace(/[.*]/g, '\\$&');
}

const treeWithSecrets = fc.letrec<{ node: JsonValue }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<JsonValue>(SECRET, `a ${SECRET} b`, 'harmless', 7, null),
    fc.array(tie('node'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'x.y', '*', 'length', 'constructor', '0'), tie('node'), {
      maxKeys: 4,
      noNullPrototype: true,
    }),
  ),
})).node;

function secretsIn(value: JsonValue, steps: readonly string[] = []): (readonly string[])[] {
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([key, child]: [string, JsonValue]) =>
      secretsIn(child, [...steps, key]),
    );
  }
  return typeof value === 'string' && value.includes(SECRET) ? [steps] : [];
}

/** The JSON of an event that went through a real tracker. */
function throughRedact(tree: JsonValue, paths: readonly string[], action: RedactAction): string {
  const { tracker, last } = record({ processors: [redact({ paths, action })] });
  tracker.emit('e', { tree });
  const json = eventJson(last());
  expect({ ...last() }).toEqual(JSON.parse(json));
  return json;
}

function harmlessIn(json: string): number {
  return json.match(HARMLESS)?.length ?? 0;
}
