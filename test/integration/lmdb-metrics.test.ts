import { execFileSync, fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createMetrics, isTrackingError } from '../../lib/core.js';
import type { Metrics } from '../../lib/core.js';
import { lmdbMetricsStore } from '../../lib/lmdb.js';
import type { LmdbMetricsStoreOptions } from '../../lib/lmdb.js';
import { fakeClock } from '../../lib/testing.js';
import { RUN_TYPESCRIPT } from '../support/run-typescript.js';

const WRITER = new URL('../support/lmdb-metrics-writer.ts', import.meta.url);
const NOW = Date.UTC(2026, 0, 15, 10);

let path: string;

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'lmdb-metrics-'));
});

afterEach(() => {
  rmSync(path, { recursive: true, force: true });
});

function open(options: { retention?: { day: { days: number } } } = {}): Metrics {
  return createMetrics({
    store: lmdbMetricsStore({ path }),
    clock: fakeClock(NOW),
    ...options,
  });
}

describe('the file', () => {
  it('keeps what was counted, and is readable by its owner alone', async () => {
    const first = open();
    await first.increment('run', 'd', { by: 3 });
    await first.addUnique('donors', 'anna');
    await first.record('run', 'note', { n: 1 });
    await first.close();

    const second = open();
    expect(await second.increment('run', 'd')).toBe(4);
    expect(await second.uniques('donors')).toBe(1);
    expect(await second.facts('run', 'note')).toHaveLength(1);
    await second.close();
    for (const name of ['metrics.mdb', 'metrics.mdb-lock']) {
      expect(statSync(join(path, name)).mode & 0o777).toBe(0o600);
    }
  });

  it('is made with its folders', async () => {
    path = join(path, 'a', 'b');
    const metrics = open();
    expect(await metrics.increment('run', 'd')).toBe(1);
    await metrics.close();
  });

  async function filled(): Promise<string> {
    const metrics = open();
    for (let n = 0; n < 50; n++) {
      await metrics.increment(`run-${n}`, 'd');
    }
    await metrics.close();
    return join(path, 'metrics.mdb');
  }

  it.each<[string, (file: string) => void]>([
    [
      'cut off',
      (file) => {
        truncateSync(file, statSync(file).size / 2);
      },
    ],
    [
      'cut off by one page',
      (file) => {
        truncateSync(file, statSync(file).size - 4_096);
      },
    ],
    [
      'cut off within its head',
      (file) => {
        truncateSync(file, 100);
      },
    ],
    [
      'cut off after its first page',
      (file) => {
        truncateSync(file, 4_096);
      },
    ],
    [
      'overwritten at its head',
      (file) => {
        const bytes = readFileSync(file);
        writeFileSync(file, bytes.fill('x', 0, 200));
      },
    ],
    [
      'overwritten in its second page',
      (file) => {
        const bytes = readFileSync(file);
        writeFileSync(file, bytes.fill(0, 4_096, 4_296));
      },
    ],
    [
      'no file of LMDB',
      (file) => {
        writeFileSync(file, 'hello '.repeat(2_000));
      },
    ],
  ])('that is %s is refused instead of ending the process', async (_, harm) => {
    const file = await filled();
    harm(file);

    let found: unknown;
    try {
      open();
    } catch (error) {
      found = error;
    }
    expect(isTrackingError(found) && found.message).toMatch(/metrics\.mdb is damaged/);
  });

  it('that is empty is a new one', async () => {
    writeFileSync(join(path, 'metrics.mdb'), '');
    const metrics = open();
    expect(await metrics.increment('run', 'd')).toBe(1);
    await metrics.close();
  });
});

describe('retention', () => {
  it('removes bit by bit what is no longer kept', async () => {
    const all = open();
    for (let n = 0; n < 30; n++) {
      const at = NOW - n * 40 * 86_400_000;
      await all.increment('run', 'd', { at });
      await all.addUnique('donors', 'anna', { at });
      await all.addUnique('donors', 'anna', { at, subject: 'run' });
      await all.record('run', 'note', { n }, { at });
    }
    await all.close();
    const kept = open({ retention: { day: { days: 100 } } });
    await kept.increment('run', 'd');
    await kept.close();

    const after = open();
    await after.increment('other', 'd');
    expect(await after.count('run', 'd', { to: '2025-09-01' })).toBe(0);
    expect(await after.uniques('donors', { to: '2025-10-01' })).toBe(0);
    expect(await after.facts('run', 'note', { to: '2025-10-01' })).toEqual([]);
    expect(await after.facts('run', 'note')).toHaveLength(3);
    expect(await after.total('run', 'd')).toBe(31);
    await after.close();
  });
});

describe('a full disk', () => {
  it('is told to whoever counts, loses nothing that was counted, and lets go', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', path]);
    try {
      const metrics = open();
      let counted = 0;
      let problem: unknown;
      for (let round = 0; problem === undefined && round < 200; round++) {
        const results = await Promise.allSettled(
          Array.from({ length: 200 }, (_, n) => metrics.increment(`run-${round}-${n}`, 'd')),
        );
        counted += results.filter(({ status }) => status === 'fulfilled').length;
        problem = results.find((result) => result.status === 'rejected')?.reason;
      }
      expect(String(problem)).toMatch(/could not be written.*disk full/);

      let found = 0;
      for (let round = 0; round * 200 < counted + 200; round++) {
        for (let n = 0; n < 200; n++) {
          found += await metrics.total(`run-${round}-${n}`, 'd');
        }
      }
      expect(found).toBe(counted);
      await metrics.close();
    } finally {
      execFileSync('umount', ['--lazy', path]);
    }
  }, 30_000);
});

describe('several processes', () => {
  function start(...args: readonly (string | number)[]): ChildProcess {
    return fork(WRITER, [path, ...args.map(String)], {
      execArgv: [...RUN_TYPESCRIPT],
      stdio: 'inherit',
    });
  }

  function ended(child: ChildProcess): Promise<unknown> {
    return new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        resolve(signal ?? code);
      });
    });
  }

  it('lose nothing of what they count at the same time', async () => {
    const writers = [start('a', 300), start('b', 300), start('c', 300)];
    expect(await Promise.all(writers.map(ended))).toEqual([0, 0, 0]);

    const metrics = open();
    expect(await metrics.total('run', 'd')).toBe(900);
    expect(await metrics.total('a', 'd')).toBe(300);
    await metrics.close();
  }, 60_000);

  it('keep what was answered when one is killed', async () => {
    for (let round = 0; round < 3; round++) {
      const child = start(`killed-${round}`, 1_000_000);
      const answered = await new Promise<number>((resolve) => {
        child.on('message', (total: number) => {
          if (total >= 40 * (round + 1)) {
            resolve(total);
          }
        });
      });
      child.kill('SIGKILL');
      expect(await ended(child)).toBe('SIGKILL');

      const metrics = open();
      const total = await metrics.total(`killed-${round}`, 'd');
      expect(total).toBeGreaterThanOrEqual(answered);
      expect(await metrics.count(`killed-${round}`, 'd', { to: '2099-01-01' })).toBe(total);
      await metrics.close();
    }
  }, 60_000);
});

describe('the options', () => {
  it.each([undefined, {}, { path: '' }, { path: 5 }, { path: 'a', file: 'b' }])(
    '%j are refused',
    (options) => {
      expect(() => lmdbMetricsStore(options as unknown as LmdbMetricsStoreOptions)).toThrow(
        /lmdbMetricsStore/,
      );
    },
  );
});
