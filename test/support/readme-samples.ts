import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './packed-package.js';

/** One fenced block of the README. */
export interface Block {
  readonly language: string;
  /** What stands behind the language; GitHub does not show it. For samples: their file, in a folder per sample. */
  readonly path: string;
  readonly text: string;
  readonly line: number;
}

/** A folder of files that the README shows, with what it says they do. */
export interface Sample {
  readonly name: string;
  readonly files: readonly Block[];
  /** What the reader is told to call while `main.ts` runs. */
  readonly calls: readonly string[];
  /** What comes out. */
  readonly output: Block | undefined;
}

const FENCE = /^```(\S*) ?(.*)$/;

export function readBlocks(): readonly Block[] {
  const lines = readFileSync(join(root, 'README.md'), 'utf8').split('\n');
  const blocks: Block[] = [];
  let open: { language: string; path: string; start: number } | undefined;
  for (const [index, line] of lines.entries()) {
    const fence = FENCE.exec(line);
    if (fence === null) {
      continue;
    }
    if (open === undefined) {
      const [, language = '', path = ''] = fence;
      open = { language, path, start: index };
      continue;
    }
    const { start, ...block } = open;
    const text = `${lines.slice(start + 1, index).join('\n')}\n`;
    blocks.push({ ...block, text, line: start + 1 });
    open = undefined;
  }
  return blocks;
}

/** TypeScript files by folder; `sh`, `json` and `text` blocks of the same folder belong to them. */
export function readSamples(): readonly Sample[] {
  const blocks = readBlocks().filter(({ path }) => path !== '');
  const names = new Set(blocks.map(({ path }) => dirname(path)));
  return [...names].map((name) => {
    const own = blocks.filter(({ path }) => dirname(path) === name);
    const calls = own.filter(({ language }) => language === 'sh');
    return {
      name,
      files: own.filter(({ language }) => language === 'ts'),
      calls: calls.flatMap(({ text }) => text.trim().split('\n')),
      output: own.find(({ language }) => ['json', 'text'].includes(language)),
    };
  });
}

/** Two runs differ in ids, times, durations and ports; everything else must be as the README says. */
export function comparable(text: string): unknown[] {
  const normal = text
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uuid>')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '<time>')
    .replace(/"durationMs": ?[\d.]+/g, '"durationMs":0')
    .replace(/(localhost|127\.0\.0\.1):\d+/g, 'localhost:<port>')
    .replace(/"userAgent": ?"curl\/[^"]*"/g, '"userAgent":"curl"');
  return jsonValues(normal);
}

/** JSON values one after the other, each on lines of its own; pretty-printed or not. */
function jsonValues(text: string): unknown[] {
  const values: unknown[] = [];
  let pending = '';
  for (const line of text.trimEnd().split('\n')) {
    pending += `${line}\n`;
    if (pending.trim() === '') {
      continue;
    }
    try {
      values.push(JSON.parse(pending));
      pending = '';
    } catch {
      // The value goes on in the next line.
    }
  }
  return pending.trim() === '' ? values : [...values, pending];
}
