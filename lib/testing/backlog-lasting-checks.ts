import assert from 'node:assert/strict';
import type { TrackingEvent } from '../core/event.js';
import { eventJson } from '../core/event.js';
import type { BacklogBench } from './backlog-bench.js';
import { idsOf, jsonOf } from './backlog-bench.js';
import { unusualEvents } from './contract-events.js';

type Check = (bench: BacklogBench) => Promise<void>;

/** What outlives the process, where something does. */
export const BACKLOG_LASTING_CHECKS: Readonly<Record<string, Check>> = {
  'finds what was not delivered when it is opened again, leased or not': async (bench) => {
    await bench.open();
    assert.equal(bench.backlog.lasting, true);
    const events = [...(await bench.append(4)), ...unusualEvents()];
    await bench.offer(events.slice(4));
    const lease = await bench.lease({ maxEvents: 2 });
    await bench.settle(lease, 'delivered', lease.events.slice(0, 1));
    await bench.reopen();
    bench.assertCounts({ accepted: events.length - 1, delivered: 0, dead: 0 });
    assert.deepEqual(jsonOf(await bench.lease()), events.slice(1).map(eventJson));
  },

  'finds dead letters when it is opened again, and replays them': async (bench) => {
    await bench.open();
    const [event] = (await bench.append(1)) as [TrackingEvent];
    const at = bench.clock.now();
    await bench.settle(await bench.lease(), {
      ...{ reason: 'rejected', status: 400, body: 'no' },
    });
    await bench.reopen();
    const letters = await bench.letters();
    assert.deepEqual(
      letters.map((letter) => ({ ...letter, event: eventJson(letter.event) })),
      [
        {
          ...{ reason: 'rejected', status: 400, body: 'no', at },
          path: 'contract/backlog',
          event: eventJson(event),
        },
      ],
    );
    assert.equal(await bench.replay(), 1);
    assert.deepEqual(idsOf((await bench.lease()).events), [event.id]);
  },

  'keeps the age of what it finds': async (bench) => {
    await bench.open();
    await bench.append(1);
    await bench.clock.advance(5_000);
    await bench.reopen();
    assert.equal(bench.backlog.stats().oldestMs, 5_000);
  },
};
