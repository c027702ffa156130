import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  afterEach,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals';
import type { Lease } from '../../lib/delivery/backlog.js';
import { OpenedBacklog, someEvents } from '../support/opened-backlog.js';
import type { SmallDisk } from '../support/small-disk.js';
import { smallDisk } from '../support/small-disk.js';

let disk: SmallDisk;

beforeEach(() => {
  disk = smallDisk(3_000);
  // LMDB writes there by itself, in its own time.
  console.error = jest.fn();
});

afterEach(() => {
  disk.unmount();
});

function fill(): void {
  try {
    writeFileSync(join(disk.path, 'ballast'), Buffer.alloc(3_000_000));
  } catch {
    // It holds what it could.
  }
}

async function failing(one: OpenedBacklog): Promise<void> {
  for (let i = 0; i < 100; i++) {
    try {
      await one.backlog.append(someEvents(100));
    } catch {
      return;
    }
  }
  throw new Error('the disk is not full');
}

describe('on a disk that is full', () => {
  it('what cannot be recorded stays leased, and is recorded later', async () => {
    const one = new OpenedBacklog({ path: disk.path });
    const [a, b, c] = [someEvents(50), someEvents(50), someEvents(50)];
    await one.backlog.append(a);
    await one.backlog.append(b);
    const lease = (await one.lease(50)) as Lease;
    const released = (await one.lease(50)) as Lease;
    fill();
    await failing(one);
    const { accepted, depth } = one.backlog.stats();
    const dead = { reason: 'rejected', body: 'x'.repeat(4_000) } as const;
    const large = lease.events.map((event) => [event]);
    // Letters of 200 KB find no room.
    await expect(
      lease.settle(large.map((events) => ({ events, outcome: dead }))),
    ).rejects.toThrow(/could not be written/);
    const settling = released.settle(
      released.events.map((event) => ({ events: [event], outcome: dead })),
    );
    await released.release();
    await expect(settling).rejects.toThrow(/could not be written/);
    expect(one.backlog.stats()).toMatchObject({
      ...{ accepted, depth, dead: 0 },
    });
    await expect(one.backlog.append(c)).rejects.toThrow(/disk full/);
    expect(one.backlog.stats()).toMatchObject({ accepted, depth });
    expect(
      one.reports.filter(({ code }) => code === 'backlog_failed'),
    ).toHaveLength(1);

    rmSync(join(disk.path, 'ballast'));
    await lease.settle([{ events: lease.events, outcome: 'delivered' }]);
    const rest = await one.drain();
    expect(rest.slice(0, 50)).toEqual(b.map(({ id }) => id));
    expect(one.backlog.stats()).toMatchObject({
      ...{ accepted, delivered: accepted, depth: 0, bytes: 0 },
    });
    await one.close();
  });

  it('dead letters that cannot be replayed stay dead letters', async () => {
    const one = new OpenedBacklog({ path: disk.path });
    await one.backlog.append(someEvents(40, 10_000));
    const lease = (await one.lease()) as Lease;
    await lease.settle([
      { events: lease.events, outcome: { reason: 'rejected' } },
    ]);
    fill();
    await failing(one);
    const { accepted, depth } = one.backlog.stats();
    await expect(one.backlog.replay()).rejects.toThrow(/could not be written/);
    expect(one.backlog.stats()).toMatchObject({ accepted, depth, dead: 40 });
    // Ends, although it cannot write that it does.
    await one.close();
    rmSync(join(disk.path, 'ballast'));
  });
});
