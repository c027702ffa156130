import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from '@jest/globals';
import { lmdbMetricsStore } from '../../lib/lmdb.js';
import { metricsStoreContract } from '../../lib/testing.js';

const folders: string[] = [];

metricsStoreContract(
  () => {
    const path = mkdtempSync(join(tmpdir(), 'lmdb-metrics-'));
    folders.push(path);
    return lmdbMetricsStore({ path });
  },
  {
    describe,
    it,
    name: 'lmdbMetricsStore keeps the contract of a metrics store',
    dispose: () => {
      for (const folder of folders.splice(0)) {
        rmSync(folder, { recursive: true });
      }
    },
  },
);
