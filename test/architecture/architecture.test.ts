import { fileURLToPath } from 'node:url';
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
import type { Source } from '../support/architecture/sources.js';
import { readSources } from '../support/architecture/sources.js';

const lib = readSources(fileURLToPath(new URL('../../', import.meta.url)), 'lib');

const RULES: [name: string, check: (sources: readonly Source[]) => string[]][] = [
  ['imports go in the allowed directions', checkDirections],
  ['no imports run in a circle', checkCycles],
  ['no folders import each other', checkFolderCycles],
  ['entries only re-export', checkEntries],
  ['exports are named', checkStarExports],
  ['entries need only their own packages', checkEntryPackages],
  ['names are kebab-case', checkNames],
  ['no folder has a barrel', checkBarrels],
  ['modules have no state', checkState],
  ['time, chance and the process stay at the edge', checkEdges],
  ['the edge has only files that need it', checkEdgeFiles],
  ['rules name what there is', checkRuleTargets],
  ['nothing is any', checkAny],
];

describe('the architecture of lib', () => {
  it('is read', () => {
    expect(lib.map(({ path }) => path)).toContain('lib/core.ts');
  });

  it.each(RULES)('%s', (_name, check) => {
    expect(check(lib)).toEqual([]);
  });
});
