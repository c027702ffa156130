import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { TrackingEvent } from '../../../lib/core/event.js';
import type { Lease } from '../../../lib/delivery/backlog.js';
import { eventually } from '../../support/eventually.js';
import { OpenedBacklog, someEvents } from '../../support/opened-backlog.js';

let path: string;
const opened: OpenedBacklog[] = [];

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'lmdb-backlog-'));
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
  rmSync(path, { recursive: true, force: true });
});

/** Its clock stands still, as that of a suspended process does, until the test moves it. */
function open(host: ConstructorParameters<typeof OpenedBacklog>[1] = {}): OpenedBacklog {
  const one = new OpenedBacklog({ path }, host);
  opened.push(one);
  return one;
}

function idsOf(events: readonly TrackingEvent[]): string[] {
  return events.map(({ id }) => id);
}

describe('events that were left', () => {
  it.each([10, 25_000])('are adopted by one of those who find them (%p events)', async (count) => {
    const first = open();
    const events = someEvents(count, 1);
    await first.backlog.append(events);
    await first.close();
    const heirs = [open(), open(), open()];
    const drained = (await Promise.all(heirs.map((one) => one.drain()))).flat();
    await eventually(async () => {
      for (const one of heirs) {
        drained.push(...(await one.drain()));
      }
      expect(drained).toHaveLength(count);
    });
    expect(new Set(drained)).toEqual(new Set(idsOf(events)));
    const stats = heirs.map(({ backlog }) => backlog.stats());
    expect(stats.map(({ accepted }) => accepted).sort((a, b) => a - b)).toEqual([0, 0, count]);
    for (const { depth, bytes, delivered, accepted } of stats) {
      expect([depth, bytes, delivered]).toEqual([0, 0, accepted]);
    }
  });

  it('stay those of the adopter for who comes after it', async () => {
    const first = open();
    const events = someEvents(4);
    await first.backlog.append(events);
    await first.close();
    const second = open();
    const lease = await second.lease(2);
    expect(idsOf(lease?.events.map(({ event }) => event) ?? [])).toEqual(idsOf(events.slice(0, 2)));
    const other = open();
    await other.clock.advance(5_000);
    expect(other.backlog.stats().accepted).toBe(0);
    await other.close();
    await second.close();
    const third = open();
    expect(await third.drain()).toEqual(idsOf(events));
  });
});

describe('an owner that stood still for too long', () => {
  interface Family {
    readonly owner: OpenedBacklog;
    readonly heir: OpenedBacklog;
    readonly events: TrackingEvent[];
    readonly lease: Lease;
  }

  async function family(partitionOf?: (event: TrackingEvent) => string): Promise<Family> {
    const host = partitionOf === undefined ? {} : { partitionOf };
    const owner = open(host);
    const events = someEvents(6);
    await owner.backlog.append(events);
    const lease = (await owner.lease(3)) as Lease;
    const heir = open(host);
    for (let i = 0; i < 7; i++) {
      await heir.clock.advance(5_000);
    }
    await eventually(() => {
      expect(heir.backlog.stats().depth).toBe(6);
    });
    return { owner, heir, events, lease };
  }

  it('notices it at its next write, which goes under its new name', async () => {
    const { owner, heir, events, lease } = await family();
    const more = someEvents(2);
    expect(await owner.backlog.append(more)).toBe(2);
    expect(await lease.renew(1_000)).toBe(false);
    expect(owner.backlog.stats()).toMatchObject({ accepted: 2, depth: 2 });
    expect(await owner.drain()).toEqual(idsOf(more));
    expect(await heir.drain()).toEqual(idsOf(events));
    await owner.close();
    await heir.close();
    expect(open().backlog.stats().depth).toBe(0);
  });

  it('may record what it delivered, and nothing else', async () => {
    const { owner, heir, events, lease } = await family();
    const [first, second, third] = lease.events as [
      Lease['events'][0],
      Lease['events'][0],
      Lease['events'][0],
    ];
    await lease.settle([{ events: [first], outcome: 'delivered' }]);
    await lease.settle([
      { events: [second], outcome: { reason: 'rejected' } },
      { events: [third], outcome: 'delivered' },
    ]);
    await lease.settle([{ events: [third], outcome: 'delivered' }]);
    await lease.release();
    expect(owner.backlog.stats()).toMatchObject({
      ...{ accepted: 0, delivered: 0, dead: 0, depth: 0, bytes: 0 },
    });
    expect(await heir.drain()).toEqual([events[1]?.id, ...idsOf(events.slice(3))]);
    expect(heir.backlog.stats()).toMatchObject({ accepted: 4, depth: 0 });
  });

  it('and whose heir is gone, too, has its events adopted again', async () => {
    const { heir, events, lease, owner } = await family((event) => event.id.slice(-1));
    await owner.backlog.append(someEvents(1));
    await lease.settle([{ events: lease.events, outcome: 'delivered' }]);
    await heir.close();
    const last = open();
    await last.clock.advance(1);
    const left = idsOf(events).filter((id) => !lease.events.some(({ event }) => event.id === id));
    expect(await last.drain()).toEqual(left);
  });

  it('evicts from what it accepts next alone', async () => {
    const owner = new OpenedBacklog({ path, maxEvents: 3 });
    opened.push(owner);
    const events = someEvents(3);
    await owner.backlog.append(events);
    const heir = open();
    for (let i = 0; i < 7; i++) {
      await heir.clock.advance(5_000);
    }
    await eventually(() => {
      expect(heir.backlog.stats().depth).toBe(3);
    });
    const more = someEvents(2);
    await owner.backlog.append(more);
    expect(owner.lost).toEqual(idsOf(events.slice(0, 2)));
    expect(await owner.drain()).toEqual(idsOf(more));
    expect(await heir.drain()).toEqual(idsOf(events));
  });
});

describe('a range whose keeper vanished from the file', () => {
  it('is adopted by itself', async () => {
    const first = open();
    await first.backlog.append(someEvents(2));
    await first.close();
    const second = open();
    expect((await second.lease(1))?.events).toHaveLength(1);
    // Its own range is empty and leaves no record; what it adopted stays.
    await second.close();
    expect(await open().drain()).toHaveLength(2);
  });
});
