import assert from 'node:assert/strict';
import { eventJson } from '../core/event.js';
import type { BacklogBench, Pair } from './backlog-bench.js';
import { idsOf, jsonOf } from './backlog-bench.js';
import { randomWalk } from './backlog-walk.js';
import { plainEvent, unusualEvents } from './contract-events.js';

type Check = (bench: BacklogBench) => Promise<void>;

/** What every backlog keeps, by the name of its test. */
export const BACKLOG_CHECKS: Readonly<Record<string, Check>> = {
  'leases what was accepted, in order, as it was': async (bench) => {
    await bench.open();
    const events = await bench.append(5);
    events.push(plainEvent(), ...unusualEvents());
    await bench.offer(events.slice(5));
    const lease = await bench.lease();
    assert.equal(lease.partition, '');
    assert.deepEqual(jsonOf(lease), events.map(eventJson));
    for (const leased of lease.events) {
      const { bytes, event, id, attempts } = leased;
      const json = Buffer.alloc(bytes + 2, '.');
      leased.writeJson(json, 1);
      assert.equal(json.toString(), `.${eventJson(event)}.`);
      assert.equal(id, event.id);
      assert.equal(attempts, 0);
    }
  },

  'answers nothing when nothing waits': async (bench) => {
    await bench.open();
    assert.equal(await bench.tryLease(), undefined);
    assert.equal(bench.backlog.availableIn(ask()), undefined);
    bench.assertCounts({ accepted: 0, delivered: 0, dead: 0 });
    assert.equal(bench.backlog.stats().oldestMs, undefined);
  },

  'keeps a lease within its bounds, with one event at least': async (bench) => {
    await bench.open();
    const events = await bench.append(10);
    const size = Buffer.byteLength(eventJson(events[9] as (typeof events)[0]));
    assert.equal((await bench.lease({ maxEvents: 3 })).events.length, 3);
    assert.equal((await bench.lease({ maxBytes: 1 })).events.length, 1);
    const some = await bench.lease({ maxBytes: 2 * size + 10 });
    assert.equal(some.events.length, 2);
  },

  'lets a batch fill up, for as long as it may wait': async (bench) => {
    await bench.open();
    await bench.append(2);
    const request = { maxEvents: 3, maxDelayMs: 1_000 };
    assert.equal(await bench.tryLease(request), undefined);
    assert.equal(bench.backlog.availableIn(ask(request)), 1_000);
    await bench.clock.advance(400);
    assert.equal(bench.backlog.availableIn(ask(request)), 600);
    await bench.append(1);
    assert.equal(bench.backlog.availableIn(ask(request)), 0);
    assert.equal((await bench.lease(request)).events.length, 3);
    await bench.append(1);
    await bench.clock.advance(1_000);
    assert.equal((await bench.lease(request)).events.length, 1);
  },

  'gives an event to one lease at a time': async (bench) => {
    await bench.open();
    const events = await bench.append(7);
    const leases = await Promise.all([3, 3, 3].map((maxEvents) => bench.lease({ maxEvents })));
    assert.deepEqual(
      leases.flatMap(({ events: some }) => idsOf(some)),
      idsOf(events),
    );
    assert.equal(await bench.tryLease(), undefined);
    assert.equal(new Set(leases.map(({ token }) => token)).size, 3);
  },

  'counts what is leased as waiting': async (bench) => {
    await bench.open();
    await bench.append(4);
    await bench.clock.advance(50);
    await bench.lease();
    bench.assertCounts({ accepted: 4, delivered: 0, dead: 0 });
    assert.equal(bench.backlog.stats().oldestMs, 50);
  },

  'gives back what was not settled, in its old place, with its attempts': async (bench) => {
    await bench.open();
    const events = await bench.append(6);
    const first = await bench.lease({ maxEvents: 2 });
    const second = await bench.lease({ maxEvents: 2 });
    for (const event of first.events) {
      event.attempts = 3;
    }
    await bench.settle(first, 'delivered', first.events.slice(0, 1));
    await bench.within('release', () => second.release());
    await bench.within('release', () => first.release());
    const again = await bench.lease();
    assert.deepEqual(idsOf(again.events), idsOf(events.slice(1)));
    assert.deepEqual(
      again.events.map(({ attempts }) => attempts),
      [3, 0, 0, 0, 0],
    );
    bench.assertCounts({ accepted: 6, delivered: 1 });
  },

  'settles parts of a lease apart': async (bench) => {
    await bench.open();
    await bench.append(4);
    const lease = await bench.lease();
    await bench.within('settle', () =>
      lease.settle([
        { events: lease.events.slice(0, 1), outcome: 'delivered' },
        { events: lease.events.slice(1, 2), outcome: { reason: 'rejected' } },
      ]),
    );
    bench.assertCounts({ accepted: 4, delivered: 1, dead: 1 });
    assert.equal(await bench.tryLease(), undefined);
    await bench.settle(lease, 'delivered', lease.events.slice(2));
    bench.assertCounts({ accepted: 4, delivered: 3, dead: 1 });
    assert.equal(await bench.within('renew', () => lease.renew(1_000)), false);
  },

  'lets the first settlement of an event count': async (bench) => {
    await bench.open();
    await bench.append(2);
    const lease = await bench.lease();
    await bench.settle(lease, 'delivered', lease.events.slice(0, 1));
    await bench.settle(lease, { reason: 'rejected' });
    await bench.settle(lease, 'delivered');
    bench.assertCounts({ accepted: 2, delivered: 1, dead: 1 });
    assert.equal((await bench.letters()).length, 1);
  },

  'lets a lost lease record deliveries, and nothing else': async (bench) => {
    await bench.open();
    const events = await bench.append(3);
    const lost = await bench.lease();
    assert.equal(await bench.within('renew', () => lost.renew(1_000)), true);
    await bench.within('release', () => lost.release());
    assert.equal(await bench.within('renew', () => lost.renew(1_000)), false);
    await bench.settle(lost, { reason: 'rejected' });
    bench.assertCounts({ accepted: 3, delivered: 0, dead: 0 });
    await bench.settle(lost, 'delivered', lost.events.slice(0, 1));
    bench.assertCounts({ accepted: 3, delivered: 1, dead: 0 });
    const next = await bench.lease();
    assert.deepEqual(idsOf(next.events), idsOf(events.slice(1)));
    await bench.settle(lost, 'delivered');
    await bench.settle(next, { reason: 'rejected' });
    bench.assertCounts({ accepted: 3, delivered: 3, dead: 0 });
    await bench.within('release', () => lost.release());
    assert.equal(await bench.tryLease(), undefined);
  },

  'tells when there is something new to lease': async (bench) => {
    await bench.open();
    const told = await toldBy(bench, () => bench.append(1));
    assert.ok(told > 0, 'not told of the first event');
    const full = await toldBy(bench, () => bench.append(99));
    assert.ok(full > 0, 'not told of a full batch');
    const lease = await bench.lease();
    const back = await toldBy(bench, () => lease.release());
    assert.ok(back > 0, 'not told of events given back');
  },

  'keeps what is known about a death': async (bench) => {
    await bench.open();
    const [a, b] = (await bench.append(2)) as Pair;
    const lease = await bench.lease();
    await bench.clock.advance(10);
    const at = bench.clock.now();
    await bench.settle(
      lease,
      { reason: 'rejected', status: 422, body: 'Ungültig' },
      lease.events.slice(0, 1),
    );
    await bench.clock.advance(10);
    await bench.settle(lease, { reason: 'expired' }, lease.events.slice(1));
    const letters = await bench.letters();
    assert.deepEqual(
      letters.map(({ event, ...rest }) => ({
        ...rest,
        json: eventJson(event),
      })),
      [
        {
          path: 'contract/backlog',
          ...{ reason: 'rejected', status: 422, body: 'Ungültig', at },
          json: eventJson(a),
        },
        {
          path: 'contract/backlog',
          ...{ reason: 'expired', at: at + 10 },
          json: eventJson(b),
        },
      ],
    );
    for (const [filter, ids] of [
      [{ reason: 'expired' }, [b.id]],
      [{ ids: [a.id, 'unknown'] }, [a.id]],
      [{ name: 'order.created' }, [a.id, b.id]],
      [{ name: 'other' }, []],
      [{ from: at + 10 }, [b.id]],
      [{ to: at }, [a.id]],
    ] as const) {
      const found = await bench.letters(filter);
      assert.deepEqual(idsOf(found), ids, JSON.stringify(filter));
    }
  },

  'replays dead letters as if they were accepted anew': async (bench) => {
    await bench.open();
    const [a, b] = (await bench.append(2)) as Pair;
    const lease = await bench.lease();
    for (const event of lease.events) {
      event.attempts = 7;
    }
    await bench.settle(lease, { reason: 'rejected' });
    await bench.clock.advance(60_000);
    const mark = bench.backlog.mark();
    assert.equal(await bench.replay({ ids: [b.id] }), 1);
    bench.assertCounts({ accepted: 2, delivered: 0, dead: 1 });
    assert.deepEqual(idsOf(await bench.letters()), [a.id]);
    assert.equal(bench.backlog.stats().oldestMs, 0);
    assert.equal(bench.backlog.isSettled(mark), true);
    const again = await bench.lease();
    assert.equal(again.events[0]?.attempts, 0);
    await bench.settle(again, 'delivered');
    assert.equal(await bench.replay(), 1);
    assert.equal(await bench.replay(), 0);
    await bench.settle(await bench.lease(), 'delivered');
    bench.assertCounts({ accepted: 2, delivered: 2, dead: 0 });
  },

  'keeps the latest dead letters, as many as it may': async (bench) => {
    await bench.open({ maxDeadLetters: 3 });
    const events = await bench.append(5);
    await bench.settle(await bench.lease(), { reason: 'rejected' });
    assert.deepEqual(idsOf(await bench.letters()), idsOf(events.slice(2)));
    bench.assertCounts({ accepted: 5, dead: 5 });
  },

  'knows whether everything before a mark is settled': async (bench) => {
    await bench.open();
    assert.equal(bench.backlog.isSettled(bench.backlog.mark()), true);
    await bench.append(2);
    const mark = bench.backlog.mark();
    await bench.append(2);
    assert.equal(bench.backlog.isSettled(mark), false);
    const first = await bench.lease({ maxEvents: 1 });
    const second = await bench.lease({ maxEvents: 1 });
    await bench.lease({ maxEvents: 2 });
    await bench.settle(second, 'delivered');
    assert.equal(bench.backlog.isSettled(mark), false);
    await bench.settle(first, { reason: 'rejected' });
    assert.equal(bench.backlog.isSettled(mark), true);
    assert.equal(bench.backlog.isSettled(bench.backlog.mark()), false);
  },

  'refuses everything once it is closed': async (bench) => {
    await bench.open();
    await bench.append(1);
    await bench.within('close', () => bench.backlog.close());
    await bench.within('close', () => bench.backlog.close());
    const events = unusualEvents();
    assert.equal(await bench.offer(events), 0);
    assert.equal(await bench.offer(events, true), 0);
    assert.equal(await bench.tryLease(), undefined);
  },

  'loses nothing and counts nothing twice, whatever comes in which order': randomWalk,
};

function ask(
  request: Partial<Parameters<BacklogBench['tryLease']>[0]> = {},
): Parameters<BacklogBench['backlog']['availableIn']>[0] {
  return { maxEvents: 1_000, maxBytes: 2 ** 26, maxDelayMs: 0, ...request };
}

async function toldBy(bench: BacklogBench, work: () => unknown): Promise<number> {
  const before = bench.told;
  await work();
  return bench.told - before;
}
