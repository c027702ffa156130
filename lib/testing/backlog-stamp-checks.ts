import assert from 'node:assert/strict';
import type { TrackingEvent } from '../core/event.js';
import { eventBytes, eventInContext, eventJson } from '../core/event.js';
import type { Lease } from '../delivery/backlog.js';
import type { EventStamp } from '../delivery/event-stamp.js';
import type { BacklogBench } from './backlog-bench.js';
import { BLOCK_TIMEOUT_MS } from './backlog-bench.js';
import { ordinaryEvents } from './contract-events.js';

type Check = (bench: BacklogBench) => Promise<void>;

/** Numbers events from 1. */
class Numbering implements EventStamp {
  private last = 0;

  put(event: TrackingEvent): TrackingEvent {
    this.last++;
    return eventInContext(event, { ...event.context, place: this.last });
  }

  takeBack(stamped: readonly TrackingEvent[]): void {
    this.last -= stamped.length;
  }
}

function placesOf({ events }: Lease): unknown[] {
  return events.map(({ event, bytes }) => {
    assert.equal(bytes, eventBytes(event));
    assert.deepEqual(JSON.parse(eventJson(event)), { ...event });
    return event.context['place'];
  });
}

/** What becomes of what the host puts into events, in every backlog. */
export const BACKLOG_STAMP_CHECKS: Readonly<Record<string, Check>> = {
  'stamps each event once, and stores that': async (bench) => {
    await bench.open({}, { stamp: new Numbering() });
    await bench.append(3);
    const lease = await bench.lease();
    assert.deepEqual(placesOf(lease), [1, 2, 3]);
    await bench.settle(lease, { reason: 'rejected' });
    assert.equal(await bench.replay(), 3);
    await bench.append(1);
    const replayed = await bench.lease();
    assert.deepEqual(placesOf(replayed), [1, 2, 3, 4]);
    await bench.settle(replayed, 'delivered');
    bench.assertCounts({ delivered: 4, dead: 0 });
  },
};

/** The same where events are refused, by the policy of the backlog. */
export const BACKLOG_STAMP_OVERFLOW_CHECKS: Readonly<
  Record<'dropOldest' | 'dropNewest' | 'block', Readonly<Record<string, Check>>>
> = {
  dropOldest: {
    'gives the place of none that is refused because all are leased': async (bench) => {
      await bench.open({ maxEvents: 2, overflow: 'dropOldest' }, { stamp: new Numbering() });
      await bench.append(2);
      const lease = await bench.lease();
      assert.equal(await bench.offer(ordinaryEvents(2)), 0);
      await bench.settle(lease, 'delivered');
      await bench.append(1);
      assert.deepEqual(placesOf(await bench.lease()), [3]);
    },
  },

  dropNewest: {
    'leaves no gap where events are refused': async (bench) => {
      await bench.open({ maxEvents: 3, overflow: 'dropNewest' }, { stamp: new Numbering() });
      assert.equal(await bench.offer(ordinaryEvents(5)), 3);
      const lease = await bench.lease();
      assert.deepEqual(placesOf(lease), [1, 2, 3]);
      assert.equal(await bench.offer(ordinaryEvents(1)), 0);
      await bench.settle(lease, 'delivered');
      await bench.append(2);
      assert.deepEqual(placesOf(await bench.lease()), [4, 5]);
    },
  },

  block: {
    'stamps those who wait for room when they have it': async (bench) => {
      await bench.open({ maxEvents: 1, overflow: 'block' }, { stamp: new Numbering() });
      await bench.append(1);
      const late = bench.offer(ordinaryEvents(1), true);
      await bench.clock.advance(BLOCK_TIMEOUT_MS);
      assert.equal(await late, 0);
      const both = [ordinaryEvents(1), ordinaryEvents(1)].map((events) => bench.offer(events, true));
      for (const place of [1, 2, 3]) {
        const lease = await bench.lease();
        assert.deepEqual(placesOf(lease), [place]);
        await bench.settle(lease, 'delivered');
        await both[place - 1];
      }
    },
  },
};
