/* Dotted paths, through the processors that take them. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../../../lib/core/json.js';
import { match } from '../../../lib/processors/filters.js';
import { redact } from '../../../lib/processors/redact.js';
import { sample } from '../../../lib/processors/sample.js';
import { answerOf, eventOf, problemsOf } from './events.js';

const data: JsonObject = {
  a: { b: 'B', none: null },
  list: ['x', 'y'],
  text: 't',
  'x.y': 'dot',
  '*': 'star',
  'filter[name]': 'brackets',
  'a\\b': 'backslash',
  ' both ends ': 'spaces',
};

/** Whether a path leads to a value: by what `match` finds there. */
function leadsTo(path: string, value: string): boolean {
  return answerOf(match({ [path]: [value] }), eventOf({ data })) === undefined;
}

/** The payload without what a path leads to. */
function without(path: string, payload: JsonObject = data): JsonObject {
  const answer = redact({ paths: [path] })(eventOf({ data: payload })) as { data: JsonObject } | undefined;
  return answer?.data ?? payload;
}

describe('a dotted path', () => {
  it.each<[string, string]>([
    ['name', 'order.created'],
    ['id', '0192f0a0-*'],
    ['timestamp', '2026-*'],
    ['data.a.b', 'B'],
    ['data.list.0', 'x'],
    ['data.list.*', 'y'],
    ['data.a.*', 'B'],
    ['data.*.b', 'B'],
    ['data.x\\.y', 'dot'],
    ['data.\\*', 'star'],
    ['data.filter\\[name\\]', 'brackets'],
    ['data.a\\b', 'backslash'],
    ['data.\\ both ends\\ ', 'spaces'],
  ])('%j leads to %j', (path, value) => {
    expect(leadsTo(path, value)).toBe(true);
  });

  it.each(['data.list.2', 'data.list.length', 'data.a.none.x', 'data.missing.x', 'data.text.0'])(
    '%j leads nowhere in this event',
    (path) => {
      expect(leadsTo(path, '*')).toBe(false);
      expect(without(path)).toBe(data);
    },
  );

  it.each(['data.constructor.name', 'data.a.toString.name', 'data.list.length', 'data.hasOwnProperty.name'])(
    '%j does not lead to what is inherited',
    (path) => {
      expect(answerOf(match({ [path]: [/./, 2] }), eventOf({ data }))).toBe('dropped: filtered');
      expect(without(path)).toBe(data);
    },
  );

  it('leads to whole objects and arrays, of which `match` matches none', () => {
    for (const path of ['data', 'context', 'data.a', 'data.list']) {
      expect(answerOf(match({ [path]: [/./, '*', 0, true] }), eventOf({ data }))).toBe('dropped: filtered');
    }
  });

  const STEPS = 'a path whose steps are keys, indexes or "*" alone; in a key, a "\\" stands before . * [ ]';
  const START = 'id, name, timestamp, data, context or a dotted path below data or context';
  const INNER = 'a dotted path below data or context';

  it.each<[string, string, string]>([
    ['data.error.config.headers.**', STEPS, STEPS],
    ['data.**', STEPS, STEPS],
    ['data.**.password', STEPS, STEPS],
    ['data.error.***', STEPS, STEPS],
    ['data.user*', STEPS, STEPS],
    ['data.*Token', STEPS, STEPS],
    ['data.a*b.c', STEPS, STEPS],
    ['data.items[0].price', STEPS, STEPS],
    ['data.items[*].price', STEPS, STEPS],
    ['data["password"]', START, INNER],
    ['data.', STEPS, STEPS],
    ['data..x', STEPS, STEPS],
    ['data.x.', STEPS, STEPS],
    ['data.email ', STEPS, STEPS],
    ['data. email', STEPS, STEPS],
    ['data.a\n', STEPS, STEPS],
    ['data.__proto__', STEPS, STEPS],
    ['context.*.__proto__.x', STEPS, STEPS],
    ['id.x', START, INNER],
    ['name.*', START, INNER],
    ['timestamp.year', START, INNER],
    ['', START, INNER],
    ['.', START, INNER],
    ['.data', START, INNER],
    [' data.x', START, INNER],
    ['*', START, INNER],
    ['**', START, INNER],
    ['**.Authorization', START, INNER],
    ['org', START, INNER],
    ['Data.x', START, INNER],
    ['$.data.x', START, INNER],
    ['data/x', START, INNER],
    ['dataset.x', START, INNER],
    ['contexts', START, INNER],
  ])('%j can lead nowhere, and is refused at boot', (path, expected, expectedInside) => {
    const shown = JSON.stringify(path);
    expect(problemsOf(() => match({ [path]: 1 }))).toStrictEqual([
      'the arguments of match() are wrong:',
      `expected the name of patterns[${shown}] to be ${expected}, got ${shown}`,
    ]);
    expect(problemsOf(() => sample({ rate: 1, by: path }))[1]).toBe(
      `expected by to be ${expected}, got ${shown}`,
    );
    expect(problemsOf(() => redact({ paths: ['data.ok', path] }))).toStrictEqual([
      'the arguments of redact() are wrong:',
      `expected paths[1] to be ${expectedInside}, got ${shown}`,
    ]);
  });

  it.each(['data', 'context', 'id', 'name', 'timestamp'])('redact does not take %j as a whole', (path) => {
    expect(problemsOf(() => redact({ paths: [path] }))[1]).toBe(
      `expected paths[0] to be ${INNER}, got "${path}"`,
    );
  });

  it('leads to every value that lies in a payload, and by `*` to all of its level', () => {
    const key = fc.oneof(
      fc.constantFrom('a', 'b.c', '*', '**', 'length', 'constructor', '[0]', ' ', '0'),
      fc
        .string({ maxLength: 3 })
        .filter((text) => text !== '' && text !== '__proto__' && !text.includes('\\')),
    );
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
        const payload = { node };
        for (const steps of leavesOf(payload)) {
          const exact = redact({ paths: [['data', ...steps.map(escaped)].join('.')], action: 'mask' });
          const wide = redact({ paths: [['data', ...steps.map(() => '*')].join('.')], action: 'mask' });
          expect(valueAt(exact(eventOf({ data: payload })), steps)).toBe('***');
          expect(valueAt(wide(eventOf({ data: payload })), steps)).toBe('***');
        }
      }),
    );
  });
});

function escaped(key: string): string {
  return key.replace(/[.*[\]]|^\s|\s$/g, '\\$&');
}

function leavesOf(value: JsonValue, steps: readonly string[] = []): (readonly string[])[] {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, child]: [string, JsonValue]) => leavesOf(child, [...steps, key]))
    : [steps];
}

function valueAt(answer: unknown, steps: readonly string[]): unknown {
  return steps.reduce<unknown>(
    (value, step) => (value as Record<string, unknown>)[step],
    (answer as { data: unknown }).data,
  );
}
