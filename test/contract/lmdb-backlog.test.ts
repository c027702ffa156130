import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, it } from '@jest/globals';
import { lmdbBacklog } from 'nestjs-tracking/lmdb';
import type { Backlog } from '../../lib/delivery/backlog.js';
import type { ContractBacklogConfig } from '../../lib/testing/backlog-bench.js';
import { backlogContract } from '../../lib/testing/backlog-contract.js';

const root = mkdtempSync(join(tmpdir(), 'lmdb-backlog-'));
const made = new WeakMap<Backlog, [string, ContractBacklogConfig]>();

afterAll(() => {
  rmSync(root, { recursive: true });
});

for (const durability of ['process', 'power'] as const) {
  const open = (path: string, config: ContractBacklogConfig): Backlog => {
    const { maxDeadLetters, ...bounds } = config;
    const backlog = lmdbBacklog({
      ...{ path, durability, ...bounds },
      ...(maxDeadLetters === undefined ? {} : { deadLetters: { maxEvents: maxDeadLetters } }),
    });
    made.set(backlog, [path, config]);
    return backlog;
  };

  backlogContract((config) => open(mkdtempSync(join(root, 'b-')), config), {
    ...{ describe, it },
    name: `lmdbBacklog (${durability}) keeps the contract of a backlog`,
    timeoutMs: 15_000,
    reopen: (closed) => {
      const [path, config] = made.get(closed) as [string, ContractBacklogConfig];
      return open(path, config);
    },
  });
}
