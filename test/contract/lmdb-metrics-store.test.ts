import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from '@jest/globals';
import { lmdbMetricsStore } from '../../lib/lmdb.js';
import { metricsStoreContract } from '../../lib/testing.js';

/** Hundreds of commits, one after the other, on a disk that others use too. */
const TIMEOUT_MS = 60_000;

const folders: string[] = [];

const tests = metricsStoreContract(
  () => {
    const path = mkdtempSync(join(tmpdir(), 'lmdb-metrics-'));
    folders.push(path);
    return lmdbMetricsStore({ path });
  },
  {
    timeoutMs: TIMEOUT_MS,
    dispose: () => {
      for (const folder of folders.splice(0)) {
        rmSync(folder, { recursive: true });
      }
    },
  },
);

describe('lmdbMetricsStore keeps the contract of a metrics store', () => {
  it.each(tests)('$name', ({ run }) => run(), TIMEOUT_MS);
});
