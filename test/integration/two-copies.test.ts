import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startNode } from '../support/started-process.js';
import type { Transpiled } from '../support/transpiled.js';
import { transpiled } from '../support/transpiled.js';

let one: Transpiled;
let two: Transpiled;
beforeAll(async () => {
  [one, two] = await Promise.all([transpiled('programs/two-copies'), transpiled('programs/two-copies')]);
}, 60_000);
afterAll(async () => {
  await one.remove();
  await two.remove();
});

/** What became of each case, with the second copy in this place. */
async function played({ main }: Transpiled): Promise<Map<string, string>> {
  const child = startNode([one.main, path.join(path.dirname(main), '../../..')]);
  const { code } = await child.ended();
  expect([code, child.stderr()]).toStrictEqual([0, '']);
  const lines = child.stdout().trim().split('\n');
  return new Map(lines.map((line) => JSON.parse(line) as [string, string]));
}

/** Works, or says why not: that there are two. */
const WORKS_OR_SAYS = /^works$|\b(another|other|second|two) cop(y|ies)\b/i;

describe('two copies of the package in one process', () => {
  it('work as one does, or say that there are two', async () => {
    const results = await played(two);
    expect(results.size).toBe(12);
    const wrong = [...results].filter(([, result]) => !WORKS_OR_SAYS.test(result));
    expect(wrong).toStrictEqual([]);
  }, 60_000);

  it('share scopes, processors, backends, errors and decorators', async () => {
    const results = await played(two);
    for (const what of [
      'frames of one are seen by the other',
      'the middleware of one gives its frames to a tracker of the other, and drops nothing of it',
      'both middlewares are in one app',
      'backends of the other',
      'processors of the other',
      'errors of the other are recognised',
      'decorators of the other',
      'a middleware of the other in front of a Nest app',
    ]) {
      expect([what, results.get(what)]).toStrictEqual([what, 'works']);
    }
  }, 60_000);
});

describe('one copy of the package', () => {
  it('works in every case', async () => {
    const results = await played(one);
    expect([...results].filter(([, result]) => result !== 'works')).toStrictEqual([]);
    expect(results.size).toBe(12);
  }, 60_000);
});
