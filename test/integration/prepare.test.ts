import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { root } from '../support/prepare.mjs';
import { startNode } from '../support/started-process.js';

const PREPARE = 'test/support/prepare.mjs';
const NPM_MS = 60_000;

/** A fresh clone of a small project, whose only dependency is in it: nothing is asked of a registry. */
async function freshClone(): Promise<string> {
  const place = await mkdtemp(join(tmpdir(), 'nestjs-tracking-clone-'));
  await mkdir(join(place, 'test/support'), { recursive: true });
  await cp(join(root, PREPARE), join(place, PREPARE));
  await release(place, '1.0.0');
  return place;
}

/** The dependency has a new version, and the lock file says so. */
async function release(place: string, version: string): Promise<void> {
  const dependency = { name: 'part', version };
  const project = { name: 'whole', dependencies: { part: 'file:part' } };
  await mkdir(join(place, 'part'), { recursive: true });
  await writeJson(join(place, 'part/package.json'), dependency);
  await writeJson(join(place, 'package.json'), {
    ...project,
    engines: { node: '>=20.0.0' },
  });
  await writeJson(join(place, 'package-lock.json'), {
    name: 'whole',
    lockfileVersion: 3,
    requires: true,
    packages: {
      '': project,
      'node_modules/part': { resolved: 'part', link: true },
      part: { version },
    },
  });
}

function writeJson(file: string, value: object): Promise<void> {
  return writeFile(file, JSON.stringify(value));
}

/** What both commands do first; answers what was said, without npm's own lines. */
async function prepareIn(place: string): Promise<{ code: unknown; said: string[] }> {
  const script = startNode(
    ['--input-type=module', '-e', `(await import('./${PREPARE}')).prepare()`],
    // The npm that runs the tests answers only to its own project.
    { cwd: place, env: { npm_execpath: '', npm_config_local_prefix: place } },
  );
  const { code } = await script.ended();
  expect(script.stdout()).toBe('');
  const said = script
    .stderr()
    .split('\n')
    .filter((line) => line.includes('npm ci"'));
  return { code, said };
}

describe('preparing a clone', () => {
  let place: string;

  beforeEach(async () => {
    place = await freshClone();
  });

  afterEach(() => rm(place, { recursive: true, force: true }));

  it(
    'installs what is missing, once, and again when the lock file has changed',
    async () => {
      expect(await prepareIn(place)).toEqual({
        code: 0,
        said: ['Installing the dependencies with "npm ci" (nothing is installed yet) ...'],
      });
      expect(await prepareIn(place)).toEqual({ code: 0, said: [] });
      await release(place, '1.1.0');
      expect(await prepareIn(place)).toEqual({
        code: 0,
        said: ['Installing the dependencies with "npm ci" (node_modules differs from package-lock.json) ...'],
      });
    },
    NPM_MS,
  );

  it(
    'ends with one line of its own when nothing can be installed',
    async () => {
      await rm(join(place, 'package-lock.json'));
      const { code, said } = await prepareIn(place);
      expect(code).toBe(1);
      expect(said.at(-1)).toBe('"npm ci" failed (exit code 1): see the lines above.');
    },
    NPM_MS,
  );
});
