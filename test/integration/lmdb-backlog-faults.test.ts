import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isTrackingError } from '../../lib/core.js';
import { BacklogProcess } from '../support/backlog-process.js';
import { eventually } from '../support/eventually.js';
import { OpenedBacklog, someEvents } from '../support/opened-backlog.js';
import { smallDisk } from '../support/small-disk.js';

const LIMIT_MS = 120_000;

describe('a disk that is full', () => {
  it.each(['process', 'power'])(
    'refuses with a reason, loses nothing that was accepted, and goes on when there is room (%s)',
    async (durability) => {
      const disk = smallDisk(3_000);
      let child: BacklogProcess | undefined;
      try {
        writeFileSync(join(disk.path, 'ballast'), Buffer.alloc(1_000_000));
        const one = await BacklogProcess.start(disk.path, '', durability);
        child = one;
        const accepted: string[] = [];
        const append = async (): Promise<string | undefined> => {
          const answer = await one.ask('append 100');
          if (Array.isArray(answer)) {
            accepted.push(...(answer as string[]));
            return undefined;
          }
          return (answer as { error: string }).error;
        };
        let error: string | undefined;
        for (let i = 0; error === undefined && i < 200; i++) {
          error = await append();
        }
        expect(error).toMatch(/backlog\.mdb could not be written: the disk is full/);
        for (let i = 0; i < 5; i++) {
          await append();
        }
        await eventually(() => {
          expect(one.stderr.match(/backlog_failed/g)).toHaveLength(1);
        });

        rmSync(join(disk.path, 'ballast'));
        expect(await append()).toBeUndefined();
        await one.kill();

        const next = new OpenedBacklog({
          path: disk.path,
          durability: durability as 'process' | 'power',
        });
        expect(await next.drain()).toEqual(accepted);
        await next.close();
      } finally {
        await child?.kill();
        disk.unmount();
      }
    },
    LIMIT_MS,
  );

  it(
    'lets a process close that can write no more',
    async () => {
      const disk = smallDisk(1_000);
      try {
        const child = await BacklogProcess.start(disk.path);
        for (let i = 0; i < 100; i++) {
          const answer = await child.ask('append 100');
          if (!Array.isArray(answer)) {
            break;
          }
        }
        expect(await child.close()).toBe(0);
      } finally {
        disk.unmount();
      }
    },
    LIMIT_MS,
  );
});

describe('the file', () => {
  let path: string;
  let file: string;

  beforeEach(async () => {
    path = mkdtempSync(join(tmpdir(), 'lmdb-backlog-'));
    file = join(path, 'backlog.mdb');
    const first = new OpenedBacklog({ path });
    await first.backlog.append(someEvents(100));
    await first.close();
  });

  afterEach(() => {
    rmSync(path, { recursive: true, force: true });
  });

  it('is for its owner alone', () => {
    for (const name of ['backlog.mdb', 'backlog.mdb-lock']) {
      expect(statSync(join(path, name)).mode & 0o777).toBe(0o600);
    }
  });

  it.each<[string, () => void]>([
    [
      'cut off',
      () => {
        truncateSync(file, statSync(file).size / 2);
      },
    ],
    [
      'cut off within its head',
      () => {
        truncateSync(file, 100);
      },
    ],
    [
      'overwritten at its head',
      () => {
        writeFileSync(file, readFileSync(file).fill('x', 0, 200));
      },
    ],
    [
      'overwritten in its second page',
      () => {
        writeFileSync(file, readFileSync(file).fill(0, 4_096, 4_296));
      },
    ],
  ])('fails the boot when it is %s, and says what to do', (_, damage) => {
    damage();
    let error: unknown;
    try {
      new OpenedBacklog({ path });
    } catch (thrown) {
      error = thrown;
    }
    expect(isTrackingError(error)).toBe(true);
    expect((error as Error).message).toMatch(
      /backlog\.mdb is damaged .*move it away, or put a backup in its place/,
    );
  });

  it('fails the boot when one process wants two durabilities of one path', async () => {
    const one = new OpenedBacklog({ path });
    expect(() => new OpenedBacklog({ path, durability: 'power' })).toThrow(/need the same durability/);
    expect((await one.drain()).length).toBe(100);
    await one.close();
  });

  it('fails the boot when the folder cannot be made', () => {
    const occupied = join(path, 'occupied');
    writeFileSync(occupied, '');
    chmodSync(occupied, 0o400);
    expect(() => new OpenedBacklog({ path: join(occupied, 'folder') })).toThrow(/occupied/);
  });
});
