import assert from 'node:assert/strict';
import type { Lease } from '../delivery/backlog.js';
import type { BacklogBench } from './backlog-bench.js';

const STEPS = 300;

/** Numbers that look random and are the same in every run. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Does anything in any order, beside a model that knows what must come of it. */
export async function randomWalk(bench: BacklogBench): Promise<void> {
  for (const seed of [1, 2, 3]) {
    await walk(bench, generator(seed));
  }
}

async function walk(bench: BacklogBench, random: (below: number) => number): Promise<void> {
  await bench.open();
  const counts = { accepted: 0, delivered: 0, dead: 0 };
  const waiting = new Set<string>();
  const out: Lease[] = [];
  const left = new Map<Lease, Lease['events'][number][]>();

  const settle = async (lease: Lease): Promise<void> => {
    const events = left.get(lease) ?? [];
    const some = events.splice(0, 1 + random(events.length));
    const deliver = random(3) > 0;
    await bench.settle(lease, deliver ? 'delivered' : { reason: 'rejected' }, some);
    counts[deliver ? 'delivered' : 'dead'] += some.length;
    for (const { event } of some) {
      waiting.delete(event.id);
    }
    if (events.length === 0) {
      out.splice(out.indexOf(lease), 1);
    }
  };

  for (let step = 0; step < STEPS; step++) {
    const lease = out[random(out.length || 1)];
    switch (random(5)) {
      case 0:
        for (const { id } of await bench.append(1 + random(8))) {
          waiting.add(id);
          counts.accepted++;
        }
        break;
      case 1: {
        const taken = await bench.tryLease({ maxEvents: 1 + random(6) });
        if (taken !== undefined) {
          out.push(taken);
          left.set(taken, [...taken.events]);
        }
        break;
      }
      case 2:
        if (lease !== undefined) {
          await bench.within('release', () => lease.release());
          out.splice(out.indexOf(lease), 1);
        }
        break;
      default:
        if (lease !== undefined) {
          await settle(lease);
        }
    }
    bench.assertCounts(counts);
  }
  for (const lease of [...out]) {
    await bench.within('release', () => lease.release());
  }
  const rest = await bench.tryLease({ maxEvents: 1_000_000 });
  assert.deepEqual(
    new Set(rest?.events.map(({ event }) => event.id)),
    waiting,
    'what waits is not what was accepted and not settled',
  );
}
