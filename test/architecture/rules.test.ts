import { describe, expect, it } from '@jest/globals';
import { checkAny, checkEdgeFiles, checkEdges, checkState } from '../support/architecture/code-rules.js';
import { checkBarrels, checkNames } from '../support/architecture/file-rules.js';
import {
  checkCycles,
  checkDirections,
  checkEntries,
  checkEntryPackages,
  checkFolderCycles,
  checkRuleTargets,
  checkStarExports,
} from '../support/architecture/import-rules.js';
import { source } from '../support/architecture/sources.js';
import type { Source } from '../support/architecture/sources.js';

/** A rule that cannot fail holds nothing: each is shown what it must refuse, and what it must let through. */
function files(made: Record<string, string>): Source[] {
  return Object.entries(made).map(([path, text]) => source(path, text));
}

describe('directions of imports', () => {
  it.each([
    ['lib/core/a.ts', '../express/b.js'],
    ['lib/core/a.ts', 'node:fs'],
    ['lib/core/a.ts', 'node:util'],
    ['lib/core/a.ts', 'node:http'],
    ['lib/core/a.ts', 'fs'],
    ['lib/core/a.ts', 'rxjs'],
    ['lib/core/a.ts', '../core.js'],
    ['lib/processors/a.ts', '../backends/b.js'],
    ['lib/express/a.ts', '../nest/b.js'],
    ['lib/express/a.ts', 'express'],
    ['lib/nest/a.ts', '../express/tracking-middleware.js'],
    ['lib/nest/a.ts', '../metrics/stored-metrics.js'],
    ['lib/nest/a.ts', '../delivery/destination.js'],
    ['lib/nest/a.ts', '../testing/b.js'],
    ['lib/nest/a.ts', '@nestjs/testing'],
    ['lib/delivery/a.ts', '../formats/json.js'],
    ['lib/testing/a.ts', '../nest/http-door.js'],
    ['lib/testing/a.ts', '../index.js'],
    ['lib/unheard-of/a.ts', '../core/b.js'],
  ])('%s may not import %s', (path, specifier) => {
    const made = files({ [path]: `import { b } from '${specifier}';` });
    expect(checkDirections(made)).toHaveLength(1);
  });

  it.each([
    `import type { B } from 'rxjs';`,
    `export { b } from 'rxjs';`,
    `export const b = () => import('rxjs');`,
    `export type B = import('rxjs').Observable<string>;`,
    `import 'rxjs';`,
  ])('are seen in %s', (text) => {
    expect(checkDirections(files({ 'lib/core/a.ts': text }))).toEqual(['lib/core/a.ts must not import rxjs']);
  });

  it.each([
    ['lib/core/a.ts', './b.js'],
    ['lib/core/a.ts', 'node:crypto'],
    ['lib/core/a.ts', 'node:async_hooks'],
    ['lib/core/a.ts', 'node:diagnostics_channel'],
    ['lib/processors/a.ts', '../core/b.js'],
    ['lib/express/a.ts', 'node:http'],
    ['lib/nest/a.ts', '../express/request-scope.js'],
    ['lib/nest/a.ts', '../express/incoming-request.js'],
    ['lib/nest/a.ts', '../metrics/metrics.js'],
    ['lib/nest/a.ts', '@nestjs/core/router/interfaces.js'],
    ['lib/delivery/a.ts', '../formats/encoder.js'],
    ['lib/testing/a.ts', '../nest/tracking.module.js'],
  ])('%s may import %s', (path, specifier) => {
    const made = files({ [path]: `import { b } from '${specifier}';` });
    expect(checkDirections(made)).toEqual([]);
  });
});

describe('cycles', () => {
  it('are named with all their files', () => {
    const made = files({
      'lib/core/a.ts': `import { b } from './b.js';`,
      'lib/core/b.ts': `import type { C } from './c.js';`,
      'lib/core/c.ts': `export { a } from './a.js';`,
    });
    expect(checkCycles(made)).toEqual([
      'cycle: lib/core/a.ts → lib/core/b.ts → lib/core/c.ts → lib/core/a.ts',
    ]);
  });

  it('are not seen where two ways lead to one file', () => {
    const made = files({
      'lib/core/a.ts': `import './b.js'; import './c.js';`,
      'lib/core/b.ts': `import './d.js';`,
      'lib/core/c.ts': `import './d.js';`,
      'lib/core/d.ts': '',
    });
    expect(checkCycles(made)).toEqual([]);
  });
});

describe('cycles of folders', () => {
  it('are named, though no file reaches itself', () => {
    const made = files({
      'lib/core/event/a.ts': `import { b } from '../topology/b.js';`,
      'lib/core/event/c.ts': '',
      'lib/core/topology/b.ts': `import { c } from '../event/c.js';`,
    });
    expect(checkCycles(made)).toEqual([]);
    expect(checkFolderCycles(made)).toEqual(['cycle: lib/core/event → lib/core/topology → lib/core/event']);
  });

  it('do not arise inside one folder, or from the entries beside each other', () => {
    const made = files({
      'lib/index.ts': `export * from './core.js';`,
      'lib/core.ts': `export { a } from './core/a.js';`,
      'lib/core/a.ts': `import { b } from './b.js';`,
      'lib/core/b.ts': '',
    });
    expect(checkFolderCycles(made)).toEqual([]);
  });
});

describe('entries', () => {
  it.each(['export const a = 1;', `import { a } from './core/a.js';`, 'export {};', 'console.log(1);'])(
    'may not hold %s',
    (text) => {
      expect(checkEntries(files({ 'lib/core.ts': text }))).toHaveLength(1);
    },
  );

  it.each([
    ['lib/http.ts', `export * from './core.js';`],
    ['lib/http.ts', `export { a } from './core.js';`],
    ['lib/core.ts', `export { a } from './index.js';`],
    ['lib/index.ts', `export { a } from './http.js';`],
    ['lib/cli.ts', `import { a } from './core.js'; a();`],
  ])('%s may not build on another: %s', (path, text) => {
    expect(checkEntries(files({ [path]: text }))).toHaveLength(1);
  });

  it('do more when they are programs', () => {
    const made = files({
      'lib/cli.ts': `import { a } from './core/a.js'; a();`,
    });
    expect(checkEntries(made)).toEqual([]);
  });

  it('hold names, and a star', () => {
    const made = files({
      'lib/index.ts': `export * from './core.js';\nexport { a } from './nest/a.js';`,
      'lib/core.ts': `export * from './core/tracked-events.js';\nexport { a } from './core/a.js';`,
    });
    expect([...checkEntries(made), ...checkStarExports(made)]).toEqual([]);
  });

  it.each([
    ['lib/core.ts', `export * from './core/ids.js';`],
    ['lib/index.ts', `export * from './core/tracked-events.js';`],
    ['lib/index.ts', `export * as core from './core.js';`],
    ['lib/http.ts', `export * from './core.js';`],
    ['lib/core.ts', `export * as events from './core/tracked-events.js';`],
    ['lib/core/a.ts', `export * from './tracked-events.js';`],
  ])('%s may not %s', (path, text) => {
    expect(checkStarExports(files({ [path]: text }))).toHaveLength(1);
  });

  it('need no package that they do not name, however far away', () => {
    const made = files({
      'lib/testing.ts': `export { a } from './testing/a.js';`,
      'lib/testing/a.ts': `import { b } from './b.js';`,
      'lib/testing/b.ts': `import { Module } from '@nestjs/common/decorators';`,
      'lib/testing-nest.ts': `export { b } from './testing/b.js';`,
    });
    expect(checkEntryPackages(made)).toEqual([
      'lib/testing.ts must not need @nestjs/common, which lib/testing/b.ts imports',
    ]);
  });

  it('have a line about their packages', () => {
    expect(checkEntryPackages(files({ 'lib/new.ts': '' }))).toHaveLength(1);
  });
});

describe('files', () => {
  it.each(['lib/core/someName.ts', 'lib/Core/a.ts', 'lib/core/a_b.ts', 'lib/core/a.b.c.ts'])(
    'may not be called %s',
    (path) => {
      expect(checkNames(files({ [path]: '' }))).toHaveLength(1);
    },
  );

  it.each(['lib/core/some-name.ts', 'lib/nest/tracking.module-definition.ts', 'lib/core.ts'])(
    'may be called %s',
    (path) => {
      expect(checkNames(files({ [path]: '' }))).toEqual([]);
    },
  );

  it('are an index only beside the entries', () => {
    const made = files({ 'lib/index.ts': '', 'lib/core/index.ts': '' });
    expect(checkBarrels(made)).toEqual(['lib/core/index.ts: no folder has an index']);
  });
});

describe('state of a module', () => {
  it.each([
    'let count = 0;',
    'export var count = 0;',
    'const seen = new Map<string, number>();',
    'export const seen = new WeakMap();',
    'const names = [];',
    'const names: string[] = [];',
    'const store = new AsyncLocalStorage();',
    'export class A { static count = 0; }',
    'export class A { static readonly seen = new Set(); }',
  ])('is found in %s', (text) => {
    expect(checkState(files({ 'lib/core/a.ts': text }))).toHaveLength(1);
  });

  it.each([
    'const NAMES = ["a"] as const;',
    'const NAMES: readonly string[] = ["a"];',
    'const NAMES: ReadonlySet<string> = new Set(["a"]);',
    'const NAMES = Object.freeze(["a"]);',
    'function f() { let count = 0; const seen = new Map(); }',
    'class A { static readonly limit = 5; private seen = new Map(); }',
    'declare const names: string[];',
  ])('is not %s', (text) => {
    expect(checkState(files({ 'lib/core/a.ts': text }))).toEqual([]);
  });

  it('may be where it is declared', () => {
    const made = files({ 'lib/core/process-state.ts': 'let count = 0;' });
    expect(checkState(made)).toEqual([]);
  });
});

describe('the edge', () => {
  it.each([
    'const now = Date.now();',
    'const now = new Date();',
    'const chance = Math.random;',
    'setTimeout(run, 5);',
    'const later = { setTimeout };',
    'globalThis.setInterval(run, 5);',
    'console.error("no");',
    'if (process.env.DEBUG) { run(); }',
    'const start = performance.now();',
    `import process from 'node:process';`,
    `import { setTimeout as sleep } from 'node:timers/promises';`,
  ])('is overstepped by %s', (text) => {
    expect(checkEdges(files({ 'lib/core/a.ts': text }))).not.toEqual([]);
  });

  it.each([
    'clock.setTimeout(run, 5);',
    'const clock = { setTimeout: start, process() { return 1; } };',
    'interface Clock { setTimeout(run: () => void): void }',
    'const at = new Date(event.timestamp);',
    'const run = (process: () => void) => process();',
    '// Date.now() in words',
  ])('is not touched by %s', (text) => {
    expect(checkEdges(files({ 'lib/core/a.ts': text }))).toEqual([]);
  });

  it('may be where it is declared', () => {
    const made = files({ 'lib/core/system-clock.ts': 'Date.now();' });
    expect(checkEdges(made)).toEqual([]);
  });
});

describe('the rules themselves', () => {
  it('name no file of the edge that needs nothing of it, or is gone', () => {
    const made = files({ 'lib/core/a.ts': 'Date.now();', 'lib/core/b.ts': 'later();' });
    expect(checkEdgeFiles(made, ['lib/core/a.ts', 'lib/core/b.ts', 'lib/core/c.ts'])).toEqual([
      'lib/core/b.ts needs nothing of the edge, or is gone',
      'lib/core/c.ts needs nothing of the edge, or is gone',
    ]);
  });

  it('name no file that is gone', () => {
    const made = files({ 'lib/express/request-scope.ts': '' });
    const lib = ['core', 'express/request-*', 'express/gone', 'express/gone-*'];
    expect(checkRuleTargets(made, { nest: { lib } }).slice(0, 2)).toEqual([
      'a rule names express/gone, which is gone',
      'a rule names express/gone-*, which is gone',
    ]);
  });
});

describe('any', () => {
  it('is found wherever it stands, and only as a type', () => {
    const made = files({
      'lib/core/a.ts': 'const any = 1;\nexport const a = any as unknown as any;',
    });
    expect(checkAny(made)).toEqual(['lib/core/a.ts:2: any']);
  });
});
