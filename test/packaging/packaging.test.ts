import { existsSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ENTRY_PACKAGES } from '../support/architecture/folders.js';
import { importsOf, readSources, source } from '../support/architecture/sources.js';
import type { PackedPackage } from '../support/packed-package.js';
import { node, packPackage, root } from '../support/packed-package.js';

const BUILD_MS = 120_000;
const ENTRIES = Object.keys(ENTRY_PACKAGES);

interface PackageJson {
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Record<string, string>>>;
}

describe('the packed package', () => {
  let packed: PackedPackage;

  beforeAll(async () => {
    packed = await packPackage();
  }, BUILD_MS);

  afterAll(() => packed.remove());

  it('holds the sources, what is built from them, and the papers', () => {
    const sources = readSources(root, 'lib').map(({ path }) => path);
    const expected = [
      ...['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'],
      ...sources,
      ...sources.flatMap((path) => builtFrom(path)),
    ];
    expect([...packed.files].sort()).toEqual(expected.sort());
  });

  it('holds whatever `exports` names, types first', () => {
    const { exports } = readPackageJson(packed.folder);
    const targets = Object.values(exports).flatMap((target) =>
      typeof target === 'string' ? target : Object.values(target),
    );
    expect(targets.filter((target) => !existsSync(join(packed.folder, target)))).toEqual([]);
    const conditions = Object.values(exports)
      .filter((target) => typeof target === 'object')
      .map((target) => Object.keys(target));
    expect(conditions).toEqual(conditions.map(() => ['types', 'default']));
  });

  it('holds a program that starts where nothing else is installed, and says what it needs', async () => {
    const { bin } = readPackageJson(packed.folder);
    expect(Object.keys(bin)).toEqual(['nestjs-tracking']);
    const file = bin['nestjs-tracking'] ?? '';
    const text = readFileSync(join(packed.folder, file), 'utf8');
    expect(text).toMatch(/^#!\/usr\/bin\/env node\n/);
    expect(await node(packed.folder, file, '--help')).toMatch(/^Usage: /);
    await expect(node(packed.folder, file, 'backlog', 'stats', '.')).rejects.toThrow(
      /\nnestjs-tracking: the package lmdb is needed: npm install lmdb \(.+\)\n$/,
    );
  });

  it('exports every entry of lib', () => {
    const { exports } = readPackageJson(packed.folder);
    const entries = Object.values(exports)
      .flatMap((target) => (typeof target === 'string' ? [] : (target['types'] ?? [])))
      .map((file) => file.replace('./dist/', 'lib/').replace('.d.ts', '.ts'));
    expect(entries.sort()).toEqual([...ENTRIES].sort());
  });

  it.each(ENTRIES)('names only its own packages in the typings of %s', (entry) => {
    const allowed = ENTRY_PACKAGES[entry] ?? [];
    const named = packagesOfTypings(packed.folder, declarationOf(entry));
    expect(named.filter((name) => !allowed.some((own) => within(name, own)))).toEqual([]);
  });

  it.each(ENTRIES.filter((entry) => ENTRY_PACKAGES[entry]?.length === 0))(
    'loads %s where nothing else is installed, by import and by require',
    async (entry) => {
      const file = `./${entry.replace('lib/', 'dist/').replace('.ts', '.js')}`;
      const names = `(m) => console.log(Object.keys(m).length > 0)`;
      const imported = node(packed.folder, '-e', `import('${file}').then(${names})`);
      const required = node(packed.folder, '-e', `(${names})(require('${file}'))`);
      expect([await imported, await required]).toEqual(['true\n', 'true\n']);
    },
  );
});

function builtFrom(path: string): string[] {
  const built = path.replace('lib/', 'dist/').replace(/\.ts$/, '');
  return ['.js', '.js.map', '.d.ts', '.d.ts.map'].map((end) => built + end);
}

function declarationOf(path: string): string {
  return path.replace('lib/', 'dist/').replace(/\.ts$/, '.d.ts');
}

/** Walks the declarations that an entry reaches; answers what they import from outside. */
function packagesOfTypings(folder: string, entry: string): string[] {
  const seen = new Set([entry]);
  const outside = new Set<string>();
  for (const path of seen) {
    const text = readFileSync(join(folder, path), 'utf8');
    for (const { specifier, target } of importsOf(source(path, text))) {
      if (target !== undefined) {
        seen.add(target.replace(/\.ts$/, '.d.ts'));
      } else if (!isBuiltin(specifier)) {
        outside.add(specifier);
      }
    }
  }
  return [...outside];
}

function within(specifier: string, name: string): boolean {
  return specifier === name || specifier.startsWith(`${name}/`);
}

function readPackageJson(folder: string): PackageJson {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as PackageJson;
}
