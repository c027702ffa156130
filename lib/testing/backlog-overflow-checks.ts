import assert from 'node:assert/strict';
import type { BacklogBench, ContractBacklogConfig, Pair } from './backlog-bench.js';
import { BLOCK_TIMEOUT_MS, idsOf } from './backlog-bench.js';
import { ordinaryEvents } from './contract-events.js';

type Check = (bench: BacklogBench) => Promise<void>;

/** What a full backlog does, by policy. */
export const BACKLOG_OVERFLOW_CHECKS: Readonly<
  Record<NonNullable<ContractBacklogConfig['overflow']>, Readonly<Record<string, Check>>>
> = {
  dropOldest: {
    'gives up the oldest for the newest, and tells of it': async (bench) => {
      await bench.open({ maxEvents: 3, overflow: 'dropOldest' });
      const events = await bench.append(5);
      bench.assertCounts({ accepted: 5, dead: 2 });
      assert.deepEqual(
        bench.lost,
        events.slice(0, 2).map(({ id }) => [id, { reason: 'overflow' }]),
      );
      assert.deepEqual(idsOf(await bench.letters({ reason: 'overflow' })), idsOf(events.slice(0, 2)));
      assert.deepEqual(idsOf((await bench.lease()).events), idsOf(events.slice(2)));
    },

    'never gives up what is leased': async (bench) => {
      await bench.open({ maxEvents: 3, overflow: 'dropOldest' });
      await bench.append(3);
      const lease = await bench.lease({ maxEvents: 2 });
      await bench.append(1);
      const rest = await bench.lease();
      assert.equal(await bench.offer(ordinaryEvents(1)), 0);
      bench.assertCounts({ accepted: 4, dead: 1 });
      await bench.settle(lease, 'delivered');
      await bench.settle(rest, 'delivered');
      bench.assertCounts({ accepted: 4, delivered: 3, dead: 1 });
    },
  },

  dropNewest: {
    'refuses what it has no room for': async (bench) => {
      await bench.open({ maxEvents: 3, overflow: 'dropNewest' });
      const events = ordinaryEvents(5);
      assert.equal(await bench.offer(events), 3);
      assert.equal(await bench.offer(events.slice(3), true), 0);
      bench.assertCounts({ accepted: 3, dead: 0 });
      const lease = await bench.lease();
      assert.deepEqual(idsOf(lease.events), idsOf(events.slice(0, 3)));
      assert.equal(await bench.offer(events.slice(3)), 0);
      await bench.settle(lease, 'delivered');
      assert.equal(await bench.offer(events.slice(3)), 2);
    },
  },

  block: {
    'lets those wait who want to, and admits them in order': async (bench) => {
      await bench.open({ maxEvents: 2, overflow: 'block' });
      await bench.append(2);
      const [a, b] = ordinaryEvents(2) as Pair;
      const first = bench.offer([a, b], true);
      assert.equal(await bench.offer(ordinaryEvents(1)), 0);
      const lease = await bench.lease({ maxEvents: 1 });
      await bench.settle(lease, 'delivered');
      await bench.settle(await bench.lease({ maxEvents: 1 }), 'delivered');
      assert.equal(await first, 2);
      assert.deepEqual(idsOf((await bench.lease()).events), [a.id, b.id]);
      bench.assertCounts({ accepted: 4, delivered: 2 });
    },

    'lets nobody wait for longer than the block timeout': async (bench) => {
      await bench.open({ maxEvents: 1, overflow: 'block' });
      await bench.append(1);
      const waiting = bench.offer(ordinaryEvents(1), true);
      await bench.clock.advance(BLOCK_TIMEOUT_MS);
      assert.equal(await waiting, 0);
      bench.assertCounts({ accepted: 1 });
    },

    'refuses those who wait when it is closed': async (bench) => {
      await bench.open({ maxEvents: 1, overflow: 'block' });
      await bench.append(1);
      const waiting = bench.offer(ordinaryEvents(1), true);
      await bench.within('close', () => bench.backlog.close());
      assert.equal(await waiting, 0);
    },
  },
};
