import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lmdbBacklog } from '../../lib/lmdb.js';
import { fakeClock } from '../../lib/testing.js';
import type { Delivering } from '../support/delivery.js';
import { balance, delivering } from '../support/delivery.js';
import type { Mood } from '../support/destination-moods.js';
import { answerIn, MOODS } from '../support/destination-moods.js';
import { eventually } from '../support/eventually.js';

let path: string;
const runs: Delivering[] = [];

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'lmdb-crashes-'));
});

afterEach(() => {
  rmSync(path, { recursive: true, force: true });
});

/** One life of the app, up to its crash. */
interface Life {
  readonly count: number;
  readonly moods: readonly Mood[];
  readonly steps: readonly number[];
}

const life: fc.Arbitrary<Life> = fc.record({
  count: fc.integer({ min: 1, max: 60 }),
  moods: fc.array(fc.constantFrom(...MOODS), { minLength: 1, maxLength: 4 }),
  steps: fc.array(fc.nat(1_500), { minLength: 1, maxLength: 6 }),
});

let now = Date.now();

function start(folder: string, moods: readonly Mood[]): Delivering {
  // Whoever crashed left a heartbeat that is to be old.
  now += 60_000;
  const run = delivering({
    ...{ clock: fakeClock(now), batch: { maxEvents: 8 } },
    backlog: lmdbBacklog({ path: folder }),
    answer: answerIn(() => moods),
  });
  runs.push(run);
  return run;
}

/** Time passes, and what was written meanwhile is on the disk. */
async function pass(run: Delivering, ms: number): Promise<void> {
  await run.clock.advance(ms);
  await new Promise((resolve) => setTimeout(resolve, 2));
}

async function accept(run: Delivering, count: number): Promise<string[]> {
  const events = run.accept(count);
  const { accepted } = run.loop.stats();
  await eventually(() => {
    expect(run.backlog.availableIn(NOW)).toBeDefined();
  });
  expect(accepted).toBeGreaterThanOrEqual(count);
  return events.map(({ id }) => id);
}

const NOW = { maxEvents: 1, maxBytes: 1, maxDelayMs: 0 };

describe('whatever a destination answers, and whenever the app crashes', () => {
  it('every accepted event is delivered, dead or waiting, and repeated only if it was in flight', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 3 }), async (lives) => {
        const folder = mkdtempSync(join(path, 'run-'));
        const accepted: string[] = [];
        const arrived = new Map<string, number>();
        let inFlight = 0;
        const note = (run: Delivering): number => {
          let arrivals = 0;
          for (const [id, times] of run.arrived) {
            arrived.set(id, (arrived.get(id) ?? 0) + times);
            arrivals += times;
          }
          return arrivals;
        };
        for (const { count, moods, steps } of lives) {
          const run = start(folder, moods);
          accepted.push(...(await accept(run, count)));
          for (const ms of steps) {
            await pass(run, ms);
            expect(balance(run)).toBe(0);
          }
          // From here on its clock stands still, and nothing that it sends arrives: only its last writes do.
          run.answer = () => new Promise(() => undefined);
          inFlight += note(run) - run.loop.stats().delivered;
        }
        const last = start(folder, ['deliver']);
        const dead = new Set<string>();
        await eventually(async () => {
          await pass(last, 5_000);
          for await (const { event } of last.backlog.deadLetters()) {
            dead.add(event.id);
          }
          const left = accepted.filter((id) => !arrived.has(id) && !last.arrived.has(id) && !dead.has(id));
          expect(left).toEqual([]);
          expect(last.loop.stats()).toMatchObject({ depth: 0 });
        });
        note(last);
        expect(balance(last)).toBe(0);
        const repeats = [...arrived.values()].reduce((sum, times) => sum + times - 1, 0);
        expect(repeats).toBeLessThanOrEqual(inFlight);
        await Promise.all(runs.splice(0).map(async ({ backlog }) => backlog.close()));
      }),
      { numRuns: 40, endOnFailure: true },
    );
  }, 120_000);
});
