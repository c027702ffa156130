import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import type { TrackingEvent } from '../../../lib/core/event.js';
import { eventBytes, eventInContext } from '../../../lib/core/event.js';
import type { Lease, LeasedEvent } from '../../../lib/delivery/backlog.js';
import { JsonBytes } from '../../../lib/delivery/json-bytes.js';
import type { LmdbBacklogOptions } from '../../../lib/lmdb.js';
import { BacklogFile } from '../../../lib/lmdb/backlog-file.js';
import { keysOf } from '../../../lib/lmdb/backlog-keys.js';
import { fakeClock } from '../../../lib/testing.js';
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

function open(
  options: Partial<LmdbBacklogOptions> = {},
  host: ConstructorParameters<typeof OpenedBacklog>[1] = {},
): OpenedBacklog {
  const one = new OpenedBacklog({ path, ...options }, host);
  opened.push(one);
  return one;
}

function idsOf(events: readonly TrackingEvent[]): string[] {
  return events.map(({ id }) => id);
}

function leasedIds(lease: Lease | undefined): string[] | undefined {
  return lease?.events.map(({ event }) => event.id);
}

async function letterIds({ backlog }: OpenedBacklog): Promise<string[]> {
  const ids: string[] = [];
  for await (const { event } of backlog.deadLetters()) {
    ids.push(event.id);
  }
  return ids;
}

describe('an lmdbBacklog', () => {
  it('belongs to one backend, and does nothing before it has one', async () => {
    const one = open();
    expect(() => {
      one.backlog.open({} as Parameters<typeof one.backlog.open>[0]);
    }).toThrow('an lmdbBacklog() belongs to one backend only');
    const { lmdbBacklog } = await import('../../../lib/lmdb.js');
    const unused = lmdbBacklog({ path });
    expect(() => unused.stats()).toThrow(/is not open/);
    await unused.close();
  });

  it('answers at once where nobody hears when it is stored, and keeps the order', async () => {
    const one = open();
    const events = someEvents(30);
    expect(one.backlog.append(events.slice(0, 10), false, true)).toBe(10);
    const heard = one.backlog.append(events.slice(10, 20));
    expect(one.backlog.append(events.slice(20), false, true)).toBe(10);
    expect(one.backlog.stats()).toMatchObject({ accepted: 30, depth: 30 });
    expect(await heard).toBe(10);
    expect(await one.drain()).toEqual(idsOf(events));
    const full = open({
      maxEvents: 2,
      overflow: 'block',
      path: join(path, 'b'),
    });
    expect(full.backlog.append(events, false, true)).toBe(2);
  });

  it('takes back the stamps of what could not be stored, before it stamps anything else', async () => {
    let last = 0;
    const one = open(
      {},
      {
        stamp: {
          put: (event) => eventInContext(event, { ...event.context, place: ++last }),
          takeBack: (stamped) => {
            last -= stamped.length;
          },
        },
      },
    );
    const { backlog, clock } = one;
    await backlog.append(someEvents(2));
    jest.spyOn(BacklogFile.prototype, 'commit').mockImplementationOnce((_, write) => {
      write({ put: () => undefined, remove: () => undefined });
      return Promise.reject(new Error('no disk'));
    });
    const [heard, kept, refused] = [3, 1, 1].map(someEvents);
    const outcomes = await Promise.allSettled([
      backlog.append(heard!),
      backlog.append(kept!, false, true),
      backlog.append(refused!),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual([...['rejected', 'fulfilled', 'rejected']]);
    await backlog.append(someEvents(2));
    await clock.advance(1_000);
    const events: LeasedEvent[] = [];
    await eventually(async () => {
      events.push(...((await one.lease())?.events ?? []));
      expect(events).toHaveLength(5);
    });
    const places = events.map(({ event }) => event.context['place']);
    expect(places.sort()).toEqual([1, 2, 3, 4, 5]);
    for (const [index, { event, bytes }] of events.entries()) {
      expect([index, bytes]).toEqual([index, eventBytes(event)]);
    }
    expect(backlog.stats().bytes).toBe(events.reduce((sum, { bytes }) => sum + bytes, 0));
  });

  it('finds what was left in parts, in order, and removes what is done', async () => {
    const first = open();
    const events = someEvents(1_200);
    await first.backlog.append(events.slice(0, 700));
    await first.backlog.append(events.slice(700));
    const lease = await first.lease(10);
    await lease?.settle([{ events: lease.events.slice(3, 5), outcome: 'delivered' }]);
    await first.close();

    const second = open();
    expect(second.backlog.stats()).toMatchObject({ accepted: 1_198, dead: 0 });
    const rest = idsOf(events).filter((_, i) => i !== 3 && i !== 4);
    expect(await second.drain()).toEqual(rest);
    expect(second.backlog.stats()).toMatchObject({ depth: 0, bytes: 0 });
    await second.close();
    expect(open().backlog.stats().accepted).toBe(0);
  });

  it.each([1, 2, 8, 9])('keeps the last %p of a chunk that are not settled', async (left) => {
    const first = open();
    const events = someEvents(20);
    await first.backlog.append(events);
    const lease = (await first.lease()) as Lease;
    await lease.settle([{ events: lease.events.slice(0, -left), outcome: 'delivered' }]);
    await lease.release();
    expect(leasedIds(await first.lease())).toEqual(idsOf(events.slice(-left)));
    await first.close();
    expect(await open().drain()).toEqual(idsOf(events.slice(-left)));
  });

  it('reports when its events are taken out of the file behind its back', async () => {
    const one = open();
    await one.backlog.append(someEvents(3));
    const file = BacklogFile.open(path, 'process', one.clock);
    const [key] = [...file.keys(keysOf('c'))] as [Buffer];
    await file.commit({ key, version: 1 }, (writes) => {
      writes.remove(key);
    });
    await file.close();
    expect(await one.lease()).toBeUndefined();
    expect(one.reports).toMatchObject([{ code: 'backlog_failed' }]);
    expect(one.backlog.stats()).toMatchObject({
      ...{ accepted: 0, depth: 0, bytes: 0 },
    });
  });

  it('takes over more than fits into one slice, in order, with new events behind it', async () => {
    const first = open();
    const events = someEvents(30_000, 1);
    await first.backlog.append(events);
    await first.close();
    const second = open();
    const newer = someEvents(10);
    await second.backlog.append(newer);
    await eventually(() => {
      expect(second.backlog.stats().depth).toBe(30_010);
    });
    expect(await second.drain()).toEqual(idsOf([...events, ...newer]));
  });

  it('keeps partitions apart after a restart', async () => {
    const partitionOf = ({ id }: TrackingEvent): string => (Number(id.slice(2)) % 2 === 0 ? 'even' : 'odd');
    const first = open({}, { partitionOf });
    const events = someEvents(50);
    await first.backlog.append(events);
    const lease = await first.lease(5);
    await lease?.settle([{ events: lease.events, outcome: 'delivered' }]);
    await first.close();

    const second = open({}, { partitionOf });
    const settled = leasedIds(lease) as string[];
    const leases = [await second.lease(), await second.lease()] as Lease[];
    expect(new Set(leases.map(({ partition }) => partition))).toEqual(new Set(['even', 'odd']));
    for (const one of leases) {
      expect(leasedIds(one)).toEqual(
        idsOf(events.filter((event) => partitionOf(event) === one.partition && !settled.includes(event.id))),
      );
    }
  });

  it('settles nothing after its end, and answers no dead letters', async () => {
    const one = open();
    await one.backlog.append(someEvents(2));
    const lease = await one.lease();
    await one.close();
    await lease?.settle([{ events: lease.events, outcome: 'delivered' }]);
    expect(open().backlog.stats().depth).toBe(2);
  });

  it('ignores settlements of what it did not lease', async () => {
    const one = open();
    await one.backlog.append(someEvents(1));
    const lease = await one.lease();
    await lease?.settle([
      {
        events: [{ ...lease.events[0] } as Lease['events'][number]],
        outcome: 'delivered',
      },
    ]);
    expect(one.backlog.stats()).toMatchObject({ depth: 1, delivered: 0 });
  });

  it('beats outside the async context of a request', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const one = open();
    one.backlog.onAvailable(() => {
      seen.push(storage.getStore());
    });
    await storage.run('request', () => one.backlog.append(someEvents(1)));
    await one.clock.advance(5_000);
    expect(seen).toEqual([undefined]);
  });

  it('reports events of a path that nobody opens any more, once', async () => {
    const gone = open({}, { path: 'old' });
    await gone.backlog.append(someEvents(1));
    await gone.close();
    const clock = fakeClock(Date.now());
    const [one, two] = ['a', 'b'].map((name) => open({}, { path: name, clock })) as [
      OpenedBacklog,
      OpenedBacklog,
    ];
    const reports = (): unknown[] => [...one.reports, ...two.reports];
    await clock.advance(55_000);
    expect(reports()).toEqual([]);
    for (let i = 0; i < 5; i++) {
      await clock.advance(5_000);
      await one.backlog.append(someEvents(1));
      await two.backlog.append(someEvents(1));
    }
    await eventually(async () => {
      await clock.advance(5_000);
      expect(reports()).toHaveLength(1);
    });
    expect(reports()).toMatchObject([{ code: 'events_left_behind' }]);
    expect(JSON.stringify(reports())).toMatch(/undelivered events of old/);
  });
});

describe('its dead letters', () => {
  async function kill(one: OpenedBacklog, count: number): Promise<string[]> {
    const events = someEvents(count);
    await one.backlog.append(events);
    const lease = await one.lease();
    await lease?.settle([{ events: lease.events, outcome: { reason: 'rejected' } }]);
    return idsOf(events);
  }

  it('are those of one path, for all who share it, the latest within the bounds', async () => {
    const deadLetters = { maxEvents: 5 };
    const clock = fakeClock(Date.now());
    const one = open({ deadLetters }, { clock });
    const other = open({ deadLetters }, { clock });
    const elsewhere = open({ deadLetters }, { clock, path: 'elsewhere' });
    const a = await kill(one, 3);
    await kill(elsewhere, 1);
    await clock.advance(2_000);
    const b = await kill(other, 4);
    expect(await letterIds(one)).toEqual([...a.slice(2), ...b]);
    await clock.advance(2_000);
    const c = await kill(one, 9);
    expect(await letterIds(other)).toEqual(c.slice(4));
    expect(await letterIds(elsewhere)).toHaveLength(1);
  });

  it('are bounded in bytes', async () => {
    const one = open({ deadLetters: { maxBytes: 1_000 } });
    const ids = await kill(one, 10);
    expect(await letterIds(one)).toEqual(ids.slice(8));
  });

  it('are replayed from slice to slice, as far as there is room', async () => {
    const one = open({ maxEvents: 500, overflow: 'dropNewest' });
    const ids = [...(await kill(one, 450)), ...(await kill(one, 250))];
    expect(await one.backlog.replay()).toBe(500);
    expect(one.backlog.stats()).toMatchObject({
      ...{ accepted: 700, dead: 200, depth: 500, delivered: 0 },
    });
    expect(await letterIds(one)).toEqual(ids.slice(500));
    expect(await one.drain()).toEqual(ids.slice(0, 500));
    await one.close();

    const next = open();
    expect(await next.backlog.replay({ ids: [ids[600] as string] })).toBe(1);
    expect(next.backlog.stats()).toMatchObject({ accepted: 1, dead: 0 });
    expect(await next.drain()).toEqual([ids[600]]);
  });

  it('keep what was evicted before it was stored, and after', async () => {
    const one = open({ maxEvents: 3 });
    const events = someEvents(10);
    const stored = one.backlog.append(events.slice(0, 5));
    await Promise.resolve();
    await Promise.resolve();
    // The first batch is under way.
    await one.backlog.append(events.slice(5));
    await stored;
    expect(one.lost).toEqual(idsOf(events.slice(0, 7)));
    expect(await letterIds(one)).toEqual(idsOf(events.slice(0, 7)));
    await one.close();
    const next = open();
    expect(await next.drain()).toEqual(idsOf(events.slice(7)));
  });
});

describe('what is delivered', () => {
  it('goes from the file into a body and out of the file without becoming an event, or its id a text', async () => {
    const one = open();
    await one.backlog.append(someEvents(3));
    const made = jest.spyOn(JsonBytes.prototype, 'event', 'get');
    const ids = jest.spyOn(JsonBytes.prototype, 'id', 'get');
    const lease = await one.lease();
    for (const leased of lease?.events ?? []) {
      leased.writeJson(Buffer.alloc(leased.bytes), 0);
    }
    await lease?.settle([{ events: lease.events, outcome: 'delivered' }]);
    expect(one.backlog.stats()).toMatchObject({ delivered: 3, depth: 0 });
    expect(made).not.toHaveBeenCalled();
    expect(ids).not.toHaveBeenCalled();
    made.mockRestore();
    ids.mockRestore();
  });
});

describe('whatever happens in which order', () => {
  type Step =
    | { readonly do: 'append'; readonly count: number }
    | { readonly do: 'lease'; readonly count: number }
    | {
        readonly do: 'settle';
        readonly which: number;
        readonly part: number;
        readonly delivered: boolean;
      }
    | { readonly do: 'release'; readonly which: number }
    | { readonly do: 'replay' | 'reopen' };

  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({
      do: fc.constant('append' as const),
      count: fc.integer({ min: 1, max: 600 }),
    }),
    fc.record({
      do: fc.constant('lease' as const),
      count: fc.integer({ min: 1, max: 700 }),
    }),
    fc.record({
      do: fc.constant('settle' as const),
      which: fc.nat(5),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
      delivered: fc.boolean(),
    }),
    fc.record({ do: fc.constant('release' as const), which: fc.nat(5) }),
    fc.record({ do: fc.constantFrom('replay' as const, 'reopen' as const) }),
  );

  it('nothing is lost, nothing comes twice, and the counts add up', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const folder = mkdtempSync(join(path, 'run-'));
        let one = open({ path: folder });
        const waiting = new Set<string>();
        const dead = new Set<string>();
        let out: { lease: Lease; left: Lease['events'][number][] }[] = [];
        for (const next of steps) {
          const some = 'which' in next ? out[next.which % (out.length || 1)] : undefined;
          if (next.do === 'append') {
            const events = someEvents(next.count, 20);
            assert.equal(await one.backlog.append(events), next.count);
            events.forEach(({ id }) => waiting.add(id));
          } else if (next.do === 'lease') {
            const lease = await one.lease(next.count);
            if (lease !== undefined) {
              out.push({ lease, left: [...lease.events] });
            }
          } else if (next.do === 'settle' && some !== undefined) {
            const events = some.left.splice(0, Math.ceil(next.part * some.left.length));
            await some.lease.settle([
              {
                events,
                outcome: next.delivered ? 'delivered' : { reason: 'rejected' },
              },
            ]);
            for (const { event } of events) {
              waiting.delete(event.id);
              if (!next.delivered) {
                dead.add(event.id);
              }
            }
          } else if (next.do === 'release' && some !== undefined) {
            await some.lease.release();
            out = out.filter((other) => other !== some);
          } else if (next.do === 'replay') {
            assert.equal(await one.backlog.replay(), dead.size);
            dead.forEach((id) => waiting.add(id));
            dead.clear();
          } else if (next.do === 'reopen') {
            await one.close();
            one = open({ path: folder });
            out = [];
          }
          const { accepted, delivered, dead: died, depth } = one.backlog.stats();
          expect(delivered + died + depth).toBe(accepted);
          expect(depth).toBe(waiting.size);
        }
        await one.close();
        const last = open({ path: folder });
        expect(new Set(await letterIds(last))).toEqual(dead);
        const drained = await last.drain();
        expect(drained).toHaveLength(waiting.size);
        expect(new Set(drained)).toEqual(waiting);
        await last.close();
      }),
      { numRuns: 25 },
    );
  }, 60_000);
});
