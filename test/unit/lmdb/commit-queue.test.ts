import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { BacklogFile } from '../../../lib/lmdb/backlog-file.js';
import type { Work } from '../../../lib/lmdb/commit-queue.js';
import { CommitQueue } from '../../../lib/lmdb/commit-queue.js';
import { diskSpace } from '../../../lib/lmdb/disk-space.js';
import { fakeClock } from '../../../lib/testing.js';

const MIB = 1024 * 1024;

describe('a commit queue', () => {
  it('writes one batch at a time, of all that came meanwhile', async () => {
    const batches: number[] = [];
    const ends: (() => void)[] = [];
    const queue = new CommitQueue(
      () => ({ bytes: MIB, forEvents: MIB }),
      () => new Error('full'),
      (batch) => {
        batches.push(batch.length);
        return new Promise((resolve) => ends.push(resolve));
      },
    );
    const done: string[] = [];
    const write = (name: string): Work => ({
      write: () => undefined,
      done: () => done.push(name),
    });
    queue.push(write('a'));
    queue.push(write('b'));
    await Promise.resolve();
    queue.push(write('c'));
    queue.push(write('d'));
    queue.push(write('e'));
    const idle = queue.idle();
    expect(batches).toEqual([2]);
    ends.shift()?.();
    await new Promise(setImmediate);
    expect([batches, done]).toEqual([
      [2, 3],
      ['a', 'b'],
    ]);
    ends.shift()?.();
    await idle;
    expect(done).toEqual(['a', 'b', 'c', 'd', 'e']);
    await queue.idle();
  });

  it('tells all work of a batch that it failed, and goes on', async () => {
    let failing = true;
    const queue = new CommitQueue(
      () => ({ bytes: MIB, forEvents: MIB }),
      () => new Error('full'),
      () => (failing ? Promise.reject(new Error('broken')) : Promise.resolve()),
    );
    const write = (): Promise<void> => queue.write(() => undefined);
    const answers = await Promise.allSettled([write(), write()]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(write()).rejects.toThrow('broken');
    failing = false;
    await write();
  });

  it('refuses new events before the rest when the disk fills up', async () => {
    let space = { bytes: 100_000, forEvents: -1 };
    const queue = new CommitQueue(
      () => space,
      () => new Error('full'),
      () => Promise.resolve(),
    );
    const outcomes: string[] = [];
    const push = (name: string, work: Partial<Work>): void => {
      queue.push({
        write: () => undefined,
        done: () => outcomes.push(`${name} stored`),
        failed: ({ message }) => outcomes.push(`${name} ${message}`),
        ...work,
      });
    };
    push('events', { bringsEvents: true, bytes: () => 1 });
    push('large', { bytes: () => 100_000 });
    push('small', {});
    await queue.idle();
    expect(outcomes).toEqual(['events full', 'large full', 'small stored']);
    space = { bytes: -1, forEvents: -1 };
    push('small', {});
    await queue.idle();
    expect(outcomes.at(-1)).toBe('small full');
  });
});

describe('the room on a disk', () => {
  it('leaves some of it for what has to be recorded', () => {
    const { bytes, forEvents } = diskSpace(tmpdir());
    expect(bytes - forEvents).toBeGreaterThanOrEqual(256 * 1024);
    expect(bytes - forEvents).toBeLessThanOrEqual(16 * MIB);
  });

  it('is unknown where the folder is gone', () => {
    expect(diskSpace(join(tmpdir(), 'no', 'such', 'folder')).bytes).toBe(Infinity);
  });
});

describe('the file of a backlog', () => {
  it('says why it could not be written', async () => {
    const path = mkdtempSync(join(tmpdir(), 'backlog-file-'));
    const file = BacklogFile.open(path, 'process', fakeClock());
    const key = Buffer.from('k');
    const condition = { key, version: undefined };
    const put = (): Promise<boolean> =>
      file.commit(condition, (writes) => {
        writes.put(key, Buffer.alloc(0));
      });
    expect(await put()).toBe(true);
    expect(await put()).toBe(false);
    await expect(
      file.commit({ key, version: 1 }, () => {
        throw new Error('no');
      }),
    ).rejects.toThrow();
    await file.close();
    rmSync(path, { recursive: true });
  });
});
