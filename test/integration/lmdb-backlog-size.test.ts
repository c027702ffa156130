import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { RUN_TYPESCRIPT } from '../support/run-typescript.js';

const SCRIPT = fileURLToPath(new URL('../support/lmdb-backlog-size.ts', import.meta.url));
/** `npm run bench -- lmdb` does the same with 1,000,000. */
const EVENTS = 300_000;

function run(...args: string[]): string {
  const { stdout, stderr, signal } = spawnSync(process.execPath, [...RUN_TYPESCRIPT, SCRIPT, ...args], {
    encoding: 'utf8',
  });
  expect([stderr, signal]).toEqual(['', args[0] === 'fill' ? 'SIGKILL' : null]);
  return stdout;
}

describe('a great many events on disk', () => {
  it('are found by the next process, which has little of them in memory', () => {
    const path = mkdtempSync(join(tmpdir(), 'lmdb-backlog-'));
    try {
      run('fill', path, String(EVENTS));
      const { found, rssAnonMiB } = JSON.parse(run('find', path, String(EVENTS))) as Record<
        'found' | 'rssAnonMiB',
        number
      >;
      expect(found).toBe(EVENTS);
      // A bare process with this library has about 60 of them, most of it the compiler of TypeScript.
      expect(rssAnonMiB).toBeLessThan(160);
    } finally {
      rmSync(path, { recursive: true });
    }
  }, 120_000);
});
