import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Lease } from '../../lib/delivery/backlog.js';
import { OpenedBacklog, someEvents } from '../support/opened-backlog.js';
import { eventually } from '../support/eventually.js';
import type { SmallDisk } from '../support/small-disk.js';
import { smallDisk } from '../support/small-disk.js';

let disk: SmallDisk;

beforeEach(() => {
  disk = smallDisk(3_000);
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

/** Stores until nothing fits, however small. */
async function failing({ backlog }: OpenedBacklog): Promise<void> {
  for (const count of [100, 1]) {
    let stored = 0;
    while (await Promise.resolve(backlog.append(someEvents(count))).then(Boolean, () => false)) {
      stored += count;
      expect(stored).toBeLessThan(50_000);
    }
  }
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
    await expect(lease.settle(large.map((events) => ({ events, outcome: dead })))).rejects.toThrow(
      /the disk is full/,
    );
    const settling = released.settle(released.events.map((event) => ({ events: [event], outcome: dead })));
    await released.release();
    await expect(settling).rejects.toThrow(/the disk is full/);
    expect(one.backlog.stats()).toMatchObject({
      ...{ accepted, depth, dead: 0 },
    });
    await expect(one.backlog.append(c)).rejects.toThrow(/the disk is full/);
    expect(one.backlog.stats()).toMatchObject({ accepted, depth });
    expect(one.reports.filter(({ code }) => code === 'backlog_failed')).toHaveLength(1);

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
    await lease.settle([{ events: lease.events, outcome: { reason: 'rejected' } }]);
    fill();
    await failing(one);
    const { accepted, depth } = one.backlog.stats();
    await expect(one.backlog.replay()).rejects.toThrow(/the disk is full/);
    expect(one.backlog.stats()).toMatchObject({ accepted, depth, dead: 40 });
    // Ends, although it cannot write that it does.
    await one.close();
    rmSync(join(disk.path, 'ballast'));
  });

  it('what others left is looked after as soon as there is room', async () => {
    const first = new OpenedBacklog({ path: disk.path });
    const events = someEvents(50);
    await first.backlog.append(events);
    await first.close();
    const filling = new OpenedBacklog({ path: disk.path }, { path: 'other' });
    fill();
    await failing(filling);

    const next = new OpenedBacklog({ path: disk.path });
    expect(next.backlog.stats().depth).toBe(50);
    expect(await next.lease()).toBeUndefined();
    expect(next.backlog.stats()).toMatchObject({ accepted: 0, depth: 0 });
    expect(next.reports.map(({ code }) => code)).toContain('backlog_failed');
    await next.clock.advance(5_000);
    expect(await next.lease()).toBeUndefined();

    rmSync(join(disk.path, 'ballast'));
    await eventually(async () => {
      await next.clock.advance(5_000);
      expect(next.backlog.stats().depth).toBe(50);
    });
    expect(await next.drain()).toEqual(events.map(({ id }) => id));
    await next.close();
    await filling.close();
  });

  it('what nobody waits for is kept in memory until there is room, and given up at the end', async () => {
    const one = new OpenedBacklog({ path: disk.path, maxEvents: 100_000 });
    // It leaves room for what has to be recorded.
    await failing(one);
    const { accepted } = one.backlog.stats();
    const kept = someEvents(600, 500);
    expect(one.backlog.append(kept, false, true)).toBe(600);
    expect(one.backlog.stats().accepted).toBe(accepted + 600);
    const mark = one.backlog.mark();
    await one.clock.advance(1_000);
    await one.clock.advance(1_000);
    const before = await one.drain();
    expect(before).toHaveLength(accepted);
    expect(one.backlog.isSettled(mark)).toBe(false);

    disk.grow(6_000);
    const newer = someEvents(1);
    await one.backlog.append(newer);
    const drained: string[] = [];
    await eventually(async () => {
      await one.clock.advance(1_000);
      drained.push(...(await one.drain()));
      expect(drained).toHaveLength(601);
    });
    expect(new Set(drained)).toEqual(new Set([...kept, ...newer].map(({ id }) => id)));
    expect(one.backlog.isSettled(mark)).toBe(true);
    await one.close();
  });

  it('what nobody waits for is lost at the end when there never is room, and told so', async () => {
    const one = new OpenedBacklog({ path: disk.path });
    fill();
    await failing(one);
    const kept = someEvents(600, 500);
    expect(one.backlog.append(kept, false, true)).toBe(600);
    await one.clock.advance(1_000);
    await one.close();
    expect(one.lost).toEqual(kept.map(({ id }) => id));
    const { accepted, dead, depth } = one.backlog.stats();
    expect([dead, depth]).toEqual([600, accepted - 600]);
  });

  it('no more than 64 MiB are kept in memory', async () => {
    const one = new OpenedBacklog({ path: disk.path, overflow: 'dropNewest' });
    fill();
    await failing(one);
    const large = someEvents(1, 1_000_000);
    let kept = 0;
    while (one.backlog.append(large, false, true) === 1) {
      kept++;
    }
    expect(kept).toBe(67);
    await one.close();
  });
});
