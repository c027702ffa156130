import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../../../lib/core/json.js';
import { Problems } from '../../../lib/core/options.js';
import type { DottedPath } from '../../../lib/processors/dotted-path.js';
import { EVERY, parsePath, someAt } from '../../../lib/processors/dotted-path.js';
import { eventOf } from './events.js';

function parsed(text: unknown): DottedPath | undefined {
  const problems = new Problems();
  const path = parsePath(text, 'path', problems);
  expect(problems.found).toBe(path === undefined);
  return path;
}

function valuesAt(text: string, data: JsonObject): JsonValue[] {
  const values: JsonValue[] = [];
  const path = parsed(text);
  if (path === undefined) {
    throw new Error(`${text} is no path`);
  }
  someAt(eventOf({ data }), path, (value) => {
    values.push(value);
    return false;
  });
  return values;
}

describe('a dotted path', () => {
  it.each<[string, readonly unknown[]]>([
    ['name', ['name']],
    ['data.order.id', ['data', 'order', 'id']],
    ['data.items.*.price', ['data', 'items', EVERY, 'price']],
    ['data.user\\.email', ['data', 'user.email']],
    ['data.\\*', ['data', '*']],
    ['context.a\\b.c', ['context', 'a\\b', 'c']],
  ])('%j is read', (text, steps) => {
    expect(parsed(text)).toStrictEqual(steps);
  });

  it.each(['', '.', 'data.', '.data', 'data..x', 'org', '*', 'Data.x', 7, null, ['data']])(
    '%j is refused',
    (text) => {
      expect(parsed(text)).toBeUndefined();
    },
  );

  it.each<[string, JsonValue[]]>([
    ['data.a.b', [1]],
    ['data.list.0', ['x']],
    ['data.list.2', []],
    ['data.list.*', ['x', 'y']],
    ['data.list.length', []],
    ['data.a.*', [1, null]],
    ['data.*.b', [1]],
    ['data.a.none', [null]],
    ['data.a.none.x', []],
    ['data.missing.x', []],
    ['data.text.0', []],
    ['data.constructor', []],
    ['data.a.toString', []],
    ['data.x\\.y', [2]],
    ['data', [{ a: { b: 1, none: null }, list: ['x', 'y'], text: 't', 'x.y': 2 }]],
    ['name', ['order.created']],
    ['name.x', []],
  ])('%j leads to %j', (text, values) => {
    const data = {
      a: { b: 1, none: null },
      list: ['x', 'y'],
      text: 't',
      'x.y': 2,
    };
    expect(valuesAt(text, data)).toStrictEqual(values);
  });

  it('finds every value that lies in a payload, and by `*` all of its level', () => {
    const key = fc.constantFrom('a', 'b.c', '*', 'length', '__proto', '0');
    const tree = fc.letrec<{ node: JsonValue }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<JsonValue>('x', 1, null, false),
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(key, tie('node'), { maxKeys: 3, noNullPrototype: true }),
      ),
    })).node;
    fc.assert(
      fc.property(tree, (node) => {
        const data = { node };
        for (const [steps, value] of leavesOf(data)) {
          expect(valuesAt(['data', ...steps.map(escaped)].join('.'), data)).toStrictEqual([value]);
          const everywhere = ['data', ...steps.map(() => '*')].join('.');
          expect(valuesAt(everywhere, data)).toContainEqual(value);
        }
      }),
    );
  });
});

function escaped(key: string): string {
  return key.replace(/[.*]/g, '\\$&');
}

function leavesOf(value: JsonValue, steps: readonly string[] = []): [readonly string[], JsonValue][] {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, child]: [string, JsonValue]) => leavesOf(child, [...steps, key]))
    : [[steps, value]];
}
