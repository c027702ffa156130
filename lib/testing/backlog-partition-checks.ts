import assert from 'node:assert/strict';
import type { TrackingEvent } from '../core/event.js';
import type { BacklogBench } from './backlog-bench.js';
import { idsOf } from './backlog-bench.js';

type Check = (bench: BacklogBench) => Promise<void>;

/** `order.created` of contract-events carries a number: even and odd ones are two streams. */
const parity = ({ data }: TrackingEvent): string => (Number(data['number']) % 2 === 0 ? 'even' : 'odd');

const open = (bench: BacklogBench): Promise<void> => bench.open({}, { partitionOf: parity });

export const BACKLOG_PARTITION_CHECKS: Readonly<Record<string, Check>> = {
  'never mixes partitions': async (bench) => {
    await open(bench);
    const events = await bench.append(6);
    for (const [at, partition] of ['even', 'odd'].entries()) {
      const lease = await bench.lease();
      assert.equal(lease.partition, partition);
      assert.deepEqual(idsOf(lease.events), idsOf(events.filter((_, i) => i % 2 === at)));
    }
  },

  'has one lease of a partition out at a time': async (bench) => {
    await open(bench);
    await bench.append(6);
    const even = await bench.lease({ maxEvents: 1 });
    const odd = await bench.lease({ maxEvents: 1 });
    assert.deepEqual([even.partition, odd.partition], ['even', 'odd']);
    assert.equal(await bench.tryLease(), undefined);
    await bench.settle(odd, 'delivered');
    assert.equal((await bench.lease()).partition, 'odd');
    await bench.within('release', () => even.release());
    const again = await bench.lease();
    assert.equal(again.partition, 'even');
    assert.equal(again.events.length, 3);
  },

  'leases from the partition asked for': async (bench) => {
    await open(bench);
    await bench.append(4);
    assert.equal((await bench.lease({ partition: 'odd' })).partition, 'odd');
    assert.equal(await bench.tryLease({ partition: 'odd' }), undefined);
    assert.equal(await bench.tryLease({ partition: 'none' }), undefined);
    assert.equal((await bench.lease()).partition, 'even');
  },

  'lets a partition rest when its lease is given back for later': async (bench) => {
    await open(bench);
    await bench.append(4);
    const even = await bench.lease();
    await bench.within('release', () => even.release(1_000));
    assert.equal((await bench.lease()).partition, 'odd');
    assert.equal(await bench.tryLease(), undefined);
    await bench.clock.advance(1_000);
    assert.equal((await bench.lease()).partition, 'even');
  },
};
