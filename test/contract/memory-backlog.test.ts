import { beforeEach, describe, expect, it } from '@jest/globals';
import type { TrackingEvent } from '../../lib/core/event.js';
import type { Backlog, BacklogHost, Lease, LeaseRequest, Settlement } from '../../lib/delivery/backlog.js';
import type { DeadLetter, DeadLetterFilter } from '../../lib/delivery/dead-letter.js';
import type { EventStamp } from '../../lib/delivery/event-stamp.js';
import { memoryBacklog } from '../../lib/delivery/memory-backlog.js';
import type { MemoryBacklogOptions } from '../../lib/delivery/memory-backlog-options.js';
import { steadyTime } from '../../lib/delivery/steady-time.js';
import { ordinaryEvents, plainEvent, unusualEvents } from '../../lib/testing/contract-events.js';
import type { FakeClock } from '../../lib/testing.js';
import { fakeClock } from '../../lib/testing.js';

/*
 * The invariants of lib/delivery/backlog.ts in the backlog with which `backlogContract` compares all others: each is
 * stated here, one by one.
 */
const ALL: LeaseRequest = { maxEvents: 1_000, maxBytes: 2 ** 26, maxDelayMs: 0 };
const BLOCK_TIMEOUT_MS = 5_000;

let clock: FakeClock;
let backlog: Backlog;
let lost: string[];
let reports: number;

beforeEach(() => {
  clock = fakeClock();
  lost = [];
  reports = 0;
});

function open(options: MemoryBacklogOptions = {}, host: Partial<BacklogHost> = {}): void {
  backlog = memoryBacklog(options);
  backlog.open({
    ...{ tracker: 'test', path: 'test/backlog', clock, time: steadyTime(clock) },
    ...{ batch: { maxEvents: 100, maxBytes: 2 ** 20 }, blockTimeoutMs: BLOCK_TIMEOUT_MS },
    report: () => undefined,
    lost: (events, { reason }) => lost.push(...events.map(({ id }) => `${reason} ${id}`)),
    ...host,
  });
  backlog.onAvailable(() => {
    reports++;
  });
}

/** New events, all of them accepted. */
async function append(count: number): Promise<TrackingEvent[]> {
  const events = ordinaryEvents(count);
  expect(await backlog.append(events)).toBe(count);
  return events;
}

const offer = async (events: readonly TrackingEvent[], wait?: boolean): Promise<number> =>
  backlog.append(events, wait);

const tryLease = (request: Partial<LeaseRequest> = {}): Promise<Lease | undefined> =>
  backlog.lease({ ...ALL, ...request });

async function lease(request?: Partial<LeaseRequest>): Promise<Lease> {
  const leased = await tryLease(request);
  expect(leased).toBeDefined();
  return leased!;
}

async function settle(of: Lease, outcome: Settlement['outcome'], events = of.events): Promise<void> {
  await of.settle([{ events, outcome }]);
}

async function letters(filter?: DeadLetterFilter): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  for await (const letter of backlog.deadLetters(filter)) {
    found.push(letter);
  }
  return found;
}

const idsOf = (events: readonly (TrackingEvent | { readonly event: TrackingEvent })[]): string[] =>
  events.map((one) => ('event' in one ? one.event.id : one.id));

/** Fails unless the counts are these, and add up. */
function expectCounts(counts: Partial<Record<'accepted' | 'delivered' | 'dead', number>>): void {
  const { accepted, delivered, dead, depth, bytes } = backlog.stats();
  expect({ accepted, delivered, dead }).toMatchObject(counts);
  expect(delivered + dead + depth).toBe(accepted);
  expect(bytes > 0).toBe(depth > 0);
}

describe('a memory backlog', () => {
  it('leases what was accepted, in order, as it was', async () => {
    open();
    const events = [...ordinaryEvents(5), plainEvent(), ...unusualEvents()];
    expect(await offer(events)).toBe(events.length);
    const leased = await lease();
    expect(leased.partition).toBe('');
    expect(leased.events.map(({ event }) => JSON.stringify(event))).toEqual(
      events.map((event) => JSON.stringify(event)),
    );
    for (const one of leased.events) {
      const json = Buffer.alloc(one.bytes + 2, '.');
      one.writeJson(json, 1);
      expect(json.toString()).toBe(`.${JSON.stringify(one.event)}.`);
      expect(one).toMatchObject({ id: one.event.id, attempts: 0 });
    }
  });

  it('leases nothing when nothing waits', async () => {
    open();
    expect(await tryLease()).toBeUndefined();
    expect(backlog.availableIn(ALL)).toBeUndefined();
    expectCounts({ accepted: 0, delivered: 0, dead: 0 });
    expect(backlog.stats().oldestMs).toBeUndefined();
  });

  it('keeps a lease within its bounds, with one event at least', async () => {
    open();
    const events = await append(10);
    const maxBytes = 2 * Buffer.byteLength(JSON.stringify(events[9])) + 10;
    expect((await lease({ maxEvents: 3 })).events).toHaveLength(3);
    expect((await lease({ maxBytes: 1 })).events).toHaveLength(1);
    expect((await lease({ maxBytes })).events).toHaveLength(2);
  });

  it('lets a batch fill up, for as long as it may wait', async () => {
    open();
    await append(2);
    const request = { ...ALL, maxEvents: 3, maxDelayMs: 1_000 };
    expect(await tryLease(request)).toBeUndefined();
    expect(backlog.availableIn(request)).toBe(1_000);
    await clock.advance(400);
    expect(backlog.availableIn(request)).toBe(600);
    await append(1);
    expect(backlog.availableIn(request)).toBe(0);
    expect((await lease(request)).events).toHaveLength(3);
    await append(1);
    await clock.advance(1_000);
    expect((await lease(request)).events).toHaveLength(1);
  });

  it('gives an event to one lease at a time', async () => {
    open();
    const events = await append(7);
    const leases = await Promise.all([3, 3, 3].map((maxEvents) => lease({ maxEvents })));
    expect(leases.flatMap((one) => idsOf(one.events))).toEqual(idsOf(events));
    expect(await tryLease()).toBeUndefined();
    expect(new Set(leases.map(({ token }) => token)).size).toBe(3);
  });

  it('counts what is leased as waiting', async () => {
    open();
    await append(4);
    await clock.advance(50);
    await lease();
    expectCounts({ accepted: 4, delivered: 0, dead: 0 });
    expect(backlog.stats().oldestMs).toBe(50);
  });

  it('gives back what was not settled, in its old place, with its attempts', async () => {
    open();
    const events = await append(6);
    const first = await lease({ maxEvents: 2 });
    const second = await lease({ maxEvents: 2 });
    for (const event of first.events) {
      event.attempts = 3;
    }
    await settle(first, 'delivered', first.events.slice(0, 1));
    await second.release();
    await first.release();
    const again = await lease();
    expect(idsOf(again.events)).toEqual(idsOf(events.slice(1)));
    expect(again.events.map(({ attempts }) => attempts)).toEqual([3, 0, 0, 0, 0]);
    expectCounts({ accepted: 6, delivered: 1 });
  });

  it('settles parts of a lease apart', async () => {
    open();
    await append(4);
    const leased = await lease();
    await leased.settle([
      { events: leased.events.slice(0, 1), outcome: 'delivered' },
      { events: leased.events.slice(1, 2), outcome: { reason: 'rejected' } },
    ]);
    expectCounts({ accepted: 4, delivered: 1, dead: 1 });
    expect(await tryLease()).toBeUndefined();
    expect(await leased.renew(1_000)).toBe(true);
    await settle(leased, 'delivered', leased.events.slice(2));
    expectCounts({ accepted: 4, delivered: 3, dead: 1 });
    expect(await leased.renew(1_000)).toBe(false);
  });

  it('lets the first settlement of an event count', async () => {
    open();
    await append(2);
    const leased = await lease();
    await settle(leased, 'delivered', leased.events.slice(0, 1));
    await settle(leased, { reason: 'rejected' });
    await settle(leased, 'delivered');
    expectCounts({ accepted: 2, delivered: 1, dead: 1 });
    expect(await letters()).toHaveLength(1);
  });

  it('lets a lost lease record deliveries, and nothing else', async () => {
    open();
    const events = await append(3);
    const gone = await lease();
    await gone.release();
    expect(await gone.renew(1_000)).toBe(false);
    await settle(gone, { reason: 'rejected' });
    expectCounts({ accepted: 3, delivered: 0, dead: 0 });
    await settle(gone, 'delivered', gone.events.slice(0, 1));
    expectCounts({ accepted: 3, delivered: 1, dead: 0 });
    const next = await lease();
    expect(idsOf(next.events)).toEqual(idsOf(events.slice(1)));
    await settle(gone, 'delivered');
    await settle(next, { reason: 'rejected' });
    expectCounts({ accepted: 3, delivered: 3, dead: 0 });
    await gone.release();
    expect(await tryLease()).toBeUndefined();
  });

  it('reports when there is something new to lease', async () => {
    open();
    const reportsOf = async (work: () => unknown): Promise<number> => {
      const before = reports;
      await work();
      return reports - before;
    };
    expect(await reportsOf(() => append(1))).toBeGreaterThan(0);
    expect(await reportsOf(() => append(98))).toBe(0);
    expect(await reportsOf(() => append(1))).toBeGreaterThan(0);
    const leased = await lease();
    expect(await reportsOf(() => leased.release())).toBeGreaterThan(0);
  });

  it('knows whether everything before a mark is settled', async () => {
    open();
    expect(backlog.isSettled(backlog.mark())).toBe(true);
    await append(2);
    const mark = backlog.mark();
    await append(2);
    expect(backlog.isSettled(mark)).toBe(false);
    const first = await lease({ maxEvents: 1 });
    const second = await lease({ maxEvents: 1 });
    await lease({ maxEvents: 2 });
    await settle(second, 'delivered');
    expect(backlog.isSettled(mark)).toBe(false);
    await settle(first, { reason: 'rejected' });
    expect(backlog.isSettled(mark)).toBe(true);
    expect(backlog.isSettled(backlog.mark())).toBe(false);
  });

  it('refuses everything once it is closed', async () => {
    open();
    await append(1);
    await backlog.close();
    await backlog.close();
    expect(await offer(unusualEvents())).toBe(0);
    expect(await offer(unusualEvents(), true)).toBe(0);
    expect(await tryLease()).toBeUndefined();
    expect(backlog.availableIn(ALL)).toBeUndefined();
  });
});

describe('the dead letters of a memory backlog', () => {
  it('keep what is known about a death', async () => {
    open();
    const [a, b] = await append(2);
    const leased = await lease();
    await clock.advance(10);
    const at = clock.now();
    await settle(leased, { reason: 'rejected', status: 422, body: 'Ungültig' }, leased.events.slice(0, 1));
    await clock.advance(10);
    await settle(leased, { reason: 'expired' }, leased.events.slice(1));
    const path = 'test/backlog';
    expect((await letters()).map(({ event, ...cause }) => ({ ...cause, id: event.id }))).toEqual([
      { path, reason: 'rejected', status: 422, body: 'Ungültig', at, id: a!.id },
      { path, reason: 'expired', at: at + 10, id: b!.id },
    ]);
    for (const [filter, ids] of [
      [{ reason: 'expired' }, [b!.id]],
      [{ ids: [a!.id, 'unknown'] }, [a!.id]],
      [{ name: 'order.created' }, [a!.id, b!.id]],
      [{ name: 'other' }, []],
      [{ from: at + 10 }, [b!.id]],
      [{ to: at }, [a!.id]],
    ] as const) {
      expect(idsOf(await letters(filter))).toEqual(ids);
    }
  });

  it('are replayed as if they were accepted anew', async () => {
    open();
    const [a, b] = await append(2);
    const leased = await lease();
    for (const event of leased.events) {
      event.attempts = 7;
    }
    await settle(leased, { reason: 'rejected' });
    await clock.advance(60_000);
    const mark = backlog.mark();
    expect(await backlog.replay({ ids: [b!.id] })).toBe(1);
    expectCounts({ accepted: 2, delivered: 0, dead: 1 });
    expect(idsOf(await letters())).toEqual([a!.id]);
    expect(backlog.stats().oldestMs).toBe(0);
    expect(backlog.isSettled(mark)).toBe(true);
    const again = await lease();
    expect(again.events[0]?.attempts).toBe(0);
    await settle(again, 'delivered');
    expect(await backlog.replay()).toBe(1);
    expect(await backlog.replay()).toBe(0);
    await settle(await lease(), 'delivered');
    expectCounts({ accepted: 2, delivered: 2, dead: 0 });
  });

  it('are the latest, as many as may be kept', async () => {
    open({ deadLetters: { maxEvents: 3 } });
    const events = await append(5);
    await settle(await lease(), { reason: 'rejected' });
    expect(idsOf(await letters())).toEqual(idsOf(events.slice(2)));
    expectCounts({ accepted: 5, dead: 5 });
  });
});

describe('a memory backlog with partitions', () => {
  beforeEach(() => {
    const partitionOf = ({ data }: TrackingEvent) => (Number(data['number']) % 2 === 0 ? 'even' : 'odd');
    open({}, { partitionOf });
  });

  it('never mixes them', async () => {
    const events = await append(6);
    for (const [at, partition] of ['even', 'odd'].entries()) {
      const leased = await lease();
      expect(leased.partition).toBe(partition);
      expect(idsOf(leased.events)).toEqual(idsOf(events.filter((_, i) => i % 2 === at)));
    }
  });

  it('has one lease of each out at a time', async () => {
    await append(6);
    const even = await lease({ maxEvents: 1 });
    const odd = await lease({ maxEvents: 1 });
    expect([even.partition, odd.partition]).toEqual(['even', 'odd']);
    expect(await tryLease()).toBeUndefined();
    await settle(odd, 'delivered');
    expect((await lease()).partition).toBe('odd');
    await even.release();
    const again = await lease();
    expect(again.partition).toBe('even');
    expect(again.events).toHaveLength(3);
  });

  it('leases from the one asked for', async () => {
    await append(4);
    expect((await lease({ partition: 'odd' })).partition).toBe('odd');
    expect(await tryLease({ partition: 'odd' })).toBeUndefined();
    expect(await tryLease({ partition: 'none' })).toBeUndefined();
    expect((await lease()).partition).toBe('even');
  });

  it('lets one rest when its lease is given back for later', async () => {
    await append(4);
    await (await lease()).release(1_000);
    expect((await lease()).partition).toBe('odd');
    expect(await tryLease()).toBeUndefined();
    await clock.advance(1_000);
    expect((await lease()).partition).toBe('even');
  });
});

describe('a memory backlog that is full, or numbers its events,', () => {
  let stamp: EventStamp;

  beforeEach(() => {
    let last = 0;
    stamp = {
      put: (event) => ({ ...event, context: { ...event.context, place: ++last } }),
      takeBack: (stamped) => {
        last -= stamped.length;
      },
    };
  });

  const placesOf = ({ events }: Lease): unknown[] =>
    events.map(({ event, bytes }) => {
      expect(bytes).toBe(Buffer.byteLength(JSON.stringify(event)));
      return event.context['place'];
    });

  it('stamps each event once, and stores that', async () => {
    open({}, { stamp });
    await append(3);
    const leased = await lease();
    expect(placesOf(leased)).toEqual([1, 2, 3]);
    await settle(leased, { reason: 'rejected' });
    expect(await backlog.replay()).toBe(3);
    await append(1);
    expect(placesOf(await lease())).toEqual([1, 2, 3, 4]);
  });

  it('gives up the oldest for the newest, and reports it', async () => {
    open({ maxEvents: 3, overflow: 'dropOldest' });
    const events = await append(5);
    expectCounts({ accepted: 5, dead: 2 });
    const gone = idsOf(events.slice(0, 2));
    expect(lost).toEqual(gone.map((id) => `overflow ${id}`));
    expect(idsOf(await letters({ reason: 'overflow' }))).toEqual(gone);
    expect(idsOf((await lease()).events)).toEqual(idsOf(events.slice(2)));
  });

  it('never gives up what is leased, and leaves no gap where it refuses', async () => {
    open({ maxEvents: 3, overflow: 'dropOldest' }, { stamp });
    await append(3);
    const first = await lease({ maxEvents: 2 });
    await append(1);
    const rest = await lease();
    expect(await offer(ordinaryEvents(1))).toBe(0);
    expectCounts({ accepted: 4, dead: 1 });
    await settle(first, 'delivered');
    await settle(rest, 'delivered');
    expectCounts({ accepted: 4, delivered: 3, dead: 1 });
    await append(1);
    expect(placesOf(await lease())).toEqual([5]);
  });

  it('refuses what it has no room for, and leaves no gap', async () => {
    open({ maxEvents: 3, overflow: 'dropNewest' }, { stamp });
    const events = ordinaryEvents(5);
    expect(await offer(events)).toBe(3);
    expect(await offer(events.slice(3), true)).toBe(0);
    expectCounts({ accepted: 3, dead: 0 });
    const leased = await lease();
    expect(placesOf(leased)).toEqual([1, 2, 3]);
    expect(await offer(events.slice(3))).toBe(0);
    await settle(leased, 'delivered');
    expect(await offer(events.slice(3))).toBe(2);
    expect(placesOf(await lease())).toEqual([4, 5]);
  });

  it('lets those wait who want to, and admits them in order', async () => {
    open({ maxEvents: 2, overflow: 'block' }, { stamp });
    await append(2);
    const waiting = [offer(ordinaryEvents(2), true), offer(ordinaryEvents(1), true)];
    expect(await offer(ordinaryEvents(1))).toBe(0);
    for (const place of [1, 2, 3, 4, 5]) {
      const leased = await lease({ maxEvents: 1 });
      expect(placesOf(leased)).toEqual([place]);
      await settle(leased, 'delivered');
    }
    expect(await Promise.all(waiting)).toEqual([2, 1]);
    expectCounts({ accepted: 5, delivered: 5 });
  });

  it('lets nobody wait for longer than the block timeout, or after its end', async () => {
    open({ maxEvents: 1, overflow: 'block' }, { stamp });
    await append(1);
    const late = offer(ordinaryEvents(1), true);
    await clock.advance(BLOCK_TIMEOUT_MS);
    expect(await late).toBe(0);
    expectCounts({ accepted: 1 });
    const waiting = offer(ordinaryEvents(1), true);
    await backlog.close();
    expect(await waiting).toBe(0);
  });
});
