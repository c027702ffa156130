import { posix } from 'node:path';
import { LINE_QUANTILES, MAX_LINES } from './folders.js';
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
      return (
        !FILE_NAME.test(file) || !parts.every((part) => FOLDER_NAME.test(part))
      );
    })
    .map((path) => `${path}: name it kebab-case.ts or kebab-case.role.ts`);
}

/** A folder's index would be a second surface beside the entries. */
export function checkBarrels(sources: readonly Source[]): string[] {
  return sources
    .map(({ path }) => path)
    .filter(
      (path) =>
        folderOf(path) !== undefined && posix.basename(path) === 'index.ts',
    )
    .map((path) => `${path}: no folder has an index`);
}

export function checkSizes(sources: readonly Source[]): string[] {
  const lines = new Map(
    sources.map(({ path, text }) => [path, countLines(text)]),
  );
  const sorted = [...lines.values()].sort((a, b) => a - b);
  const tooLong = [...lines]
    .filter(([, count]) => count > MAX_LINES)
    .map(
      ([path, count]) => `${path} has ${count} lines, more than ${MAX_LINES}`,
    );
  const tooLongTogether = LINE_QUANTILES.map(([share, most]) => ({
    share,
    most,
    actual: sorted[Math.ceil(sorted.length * share) - 1] ?? 0,
  }))
    .filter(({ most, actual }) => actual > most)
    .map(
      ({ share, most, actual }) =>
        `${share * 100} % of the files have up to ${actual} lines, more than ${most}`,
    );
  return [...tooLong, ...tooLongTogether];
}

function countLines(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}
