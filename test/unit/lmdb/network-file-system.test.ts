import { mkdtempSync, rmSync } from 'node:fs';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';

let type = 0;
jest.unstable_mockModule('node:fs', () => ({
  ...fs,
  statfsSync: () => ({ type }),
}));
const { lmdbBacklog } = await import('../../../lib/lmdb.js');
const { fakeClock } = await import('../../../lib/testing.js');

const path = mkdtempSync(join(tmpdir(), 'lmdb-'));

afterAll(() => {
  rmSync(path, { recursive: true });
});

describe('a file on a network', () => {
  it.each([
    [0x6969, 'NFS'],
    // As a signed number, which some systems answer.
    [0xff534d42 | 0, 'CIFS'],
    [0xfe534d42, 'SMB2'],
    [0x01021997, '9P'],
  ])('fails the boot: %i is %s', (magic, name) => {
    type = magic;
    expect(() => {
      lmdbBacklog({ path }).open({
        ...{ tracker: 'default', path: 'http', clock: fakeClock() },
        ...{ time: () => 0, batch: { maxEvents: 1, maxBytes: 1 } },
        ...{ report: () => undefined, lost: () => undefined },
        blockTimeoutMs: 1,
      });
    }).toThrow(`path: ${path} is on ${name}; LMDB needs a file system of this machine`);
  });
});
