import { posix } from 'node:path';
import type { Source } from './sources.js';
import { folderOf } from './sources.js';

const WORDS = '[a-z0-9]+(-[a-z0-9]+)*';
const FOLDER_NAME = new RegExp(`^${WORDS}$`);
/** `plain-name.ts` or `name.role.ts`. */
const FILE_NAME = new RegExp(`^${WORDS}(\\.${WORDS})?\\.ts$`);

export function checkNames(sources: readonly Source[]): string[] {
  return sources
    .map(({ path }) => path)
    .filter((path) => {
      const parts = path.split('/');
      const file = parts.pop() ?? '';
      return !FILE_NAME.test(file) || !parts.every((part) => FOLDER_NAME.test(part));
    })
    .map((path) => `${path}: name it kebab-case.ts or kebab-case.role.ts`);
}

/** A folder's index would be a second surface beside the entries. */
export function checkBarrels(sources: readonly Source[]): string[] {
  return sources
    .map(({ path }) => path)
    .filter((path) => folderOf(path) !== undefined && posix.basename(path) === 'index.ts')
    .map((path) => `${path}: no folder has an index`);
}
