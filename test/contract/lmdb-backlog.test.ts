import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, it } from '@jest/globals';
import { lmdbBacklog } from 'nestjs-tracking/lmdb';
import type { Backlog } from '../../lib/delivery/backlog.js';
import type { ContractBacklogConfig } from '../../lib/testing.js';
import { backlogContract } from '../../lib/testing.js';

/** Hundreds of commits, one after the other, on a disk that others use too. */
const TIMEOUT_MS = 60_000;

const root = mkdtempSync(join(tmpdir(), 'lmdb-backlog-'));
const made = new WeakMap<Backlog, [string, ContractBacklogConfig]>();

afterAll(() => {
  rmSync(root, { recursive: true });
});

describe.each(['process', 'power'] as const)(
  'lmdbBacklog (%s) keeps the contract of a backlog',
  (durability) => {
    const open = (path: string, config: ContractBacklogConfig): Backlog => {
      const { maxDeadLetters, ...bounds } = config;
      const backlog = lmdbBacklog({
        ...{ path, durability, ...bounds },
        ...(maxDeadLetters === undefined ? {} : { deadLetters: { maxEvents: maxDeadLetters } }),
      });
      made.set(backlog, [path, config]);
      return backlog;
    };
    const tests = backlogContract((config) => open(mkdtempSync(join(root, 'b-')), config), {
      timeoutMs: TIMEOUT_MS,
      reopen: (closed) => {
        const [path, config] = made.get(closed) as [string, ContractBacklogConfig];
        return open(path, config);
      },
    });
    it.each(tests)('$name', ({ run }) => run(), TIMEOUT_MS);
  },
);
