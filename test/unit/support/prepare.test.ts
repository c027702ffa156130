import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Lock } from '../../support/prepare.mjs';
import { differs, root, satisfies } from '../../support/prepare.mjs';

const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  engines: { node: string };
};

describe('satisfies', () => {
  it.each([
    ['18.20.8', false],
    ['20.18.3', false],
    ['20.19.0', true],
    ['20.19.0-nightly', true],
    ['20.100.0', true],
    ['21.7.3', false],
    ['22.11.0', false],
    ['22.12.0', true],
    ['23.11.1', false],
    ['24.0.0', true],
    ['26.10.0', true],
    ['100.0.0', true],
    ['nonsense', false],
  ])('knows whether Node %s will do: %s', (version, expected) => {
    expect(satisfies(version, engines.node)).toBe(expected);
  });

  it.each([
    ['1.2.3', '^1.2.3', true],
    ['1.2.2', '^1.2.3', false],
    ['1.3.0', '^1.2.3', true],
    ['2.0.0', '^1.2.3', false],
    ['2.0.0', '>=1.2.3', true],
    ['1.2.0', '^1.2', true],
    ['0.9.9', '>=1', false],
  ])('%s in %s: %s', (version, range, expected) => {
    expect(satisfies(version, range)).toBe(expected);
  });
});

describe('differs', () => {
  const wanted: Lock = {
    packages: {
      '': { version: '1.0.0' },
      'node_modules/a': { version: '1.2.3' },
      'node_modules/b': { version: '2.0.0', optional: true },
    },
  };
  const installed = (packages: Lock['packages']): Lock => ({ packages });

  it('is false for what npm installed', () => {
    const a = { version: '1.2.3' };
    const b = { version: '2.0.0' };
    expect(differs(wanted, installed({ 'node_modules/a': a, 'node_modules/b': b }))).toBe(false);
  });

  it('does not miss the optional packages of other platforms', () => {
    expect(differs(wanted, installed({ 'node_modules/a': { version: '1.2.3' } }))).toBe(false);
  });

  it.each<[string, Lock['packages']]>([
    ['is missing', {}],
    ['has another version', { 'node_modules/a': { version: '1.2.4' } }],
    [
      'is optional and has another version',
      {
        'node_modules/a': { version: '1.2.3' },
        'node_modules/b': { version: '2.0.1' },
      },
    ],
  ])('is true when a package %s', (_what, packages) => {
    expect(differs(wanted, installed(packages))).toBe(true);
  });
});
