import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { memoryBacklog } from '../../../lib/delivery/memory-backlog.js';
import type { Delivering } from '../../support/delivery.js';
import { balance, delivering } from '../../support/delivery.js';
import type { Mood } from '../../support/destination-moods.js';
import { answerIn, MOODS } from '../../support/destination-moods.js';

type Step =
  | { readonly do: 'accept'; readonly count: number }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'moods'; readonly moods: readonly Mood[] }
  | { readonly do: 'jump'; readonly ms: number }
  | { readonly do: 'flush' }
  | { readonly do: 'replay' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('accept' as const), count: fc.nat(40) }),
  fc.record({ do: fc.constant('advance' as const), ms: fc.nat(5_000) }),
  fc.record({
    do: fc.constant('moods' as const),
    moods: fc.array(fc.constantFrom(...MOODS), { minLength: 1, maxLength: 5 }),
  }),
  fc.record({ do: fc.constant('jump' as const), ms: fc.nat(1e10) }),
  fc.constant({ do: 'flush' as const }),
  fc.constant({ do: 'replay' as const }),
);

/** What must be true at every moment. */
function check(run: Delivering, accepted: number): void {
  const stats = run.loop.stats();
  expect(balance(run)).toBe(0);
  expect(stats.accepted).toBe(accepted);
  expect(Math.min(stats.delivered, stats.dead, stats.depth)).toBeGreaterThan(-1);
}

async function expectEverySettled(
  steps: readonly Step[],
  options: { readonly ordered: boolean; readonly maxAttempts: number },
): Promise<void> {
  let moods: readonly Mood[] = ['deliver'];
  const run = delivering({
    batch: { maxEvents: 8 },
    retry: { maxAttempts: options.maxAttempts },
    backlog: memoryBacklog({ maxEvents: 100_000 }),
    answer: answerIn(() => moods),
    ...(options.ordered ? { partitionOf: ({ data }) => `stream ${Number(data['number']) % 3}` } : {}),
  });
  const accepted = new Set<string>();
  for (const one of steps) {
    switch (one.do) {
      case 'accept':
        for (const { id } of run.accept(one.count)) {
          accepted.add(id);
        }
        break;
      case 'advance':
        await run.clock.advance(one.ms);
        break;
      case 'moods':
        moods = one.moods;
        break;
      case 'jump':
        run.clock.set(one.ms);
        break;
      case 'flush':
        void run.loop.flush({ timeoutMs: 1_000 });
        break;
      case 'replay':
        void run.backlog.replay();
    }
    check(run, accepted.size);
  }
  moods = ['deliver'];
  // A destination that failed last is known to be back only when there is something to probe with.
  for (const { id } of run.accept(1)) {
    accepted.add(id);
  }
  await run.clock.advance(200_000);
  check(run, accepted.size);
  expect(run.loop.stats()).toMatchObject({ depth: 0, state: 'ok' });
  const dead = new Set<string>();
  for await (const { event } of run.backlog.deadLetters()) {
    dead.add(event.id);
  }
  for (const id of accepted) {
    expect(run.arrived.has(id) || dead.has(id)).toBe(true);
  }
  // Only a partial answer, a replay or a lost answer could deliver twice; none of these happens after a delivery.
  expect([...run.arrived.values()].filter((times) => times > 1)).toEqual([]);
}

describe('whatever a destination answers', () => {
  it.each([
    ['in any order', false, Infinity],
    ['in streams', true, Infinity],
    ['with few attempts', false, 3],
  ])(
    'every accepted event is delivered once or dead: %s',
    async (_, ordered, maxAttempts) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
          await expectEverySettled(steps, { ordered, maxAttempts });
        }),
        { numRuns: 60, endOnFailure: true },
      );
    },
    60_000,
  );

  it('what is left at the end is handed over: nothing vanishes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...MOODS), { minLength: 1, maxLength: 6 }),
        fc.nat(200),
        fc.nat(4_000),
        async (moods, count, ms) => {
          const run = delivering({
            batch: { maxEvents: 8 },
            answer: answerIn(() => moods),
          });
          const events = run.accept(count);
          await run.clock.advance(ms);
          const closing = run.loop.close({ timeoutMs: 4_000 });
          await run.clock.advance(4_000);
          await closing;
          expect(run.loop.stats()).toMatchObject({
            ...{ accepted: count, depth: 0, state: 'closed' },
          });
          const lost = new Set(run.lost.flatMap((one) => one.events.map(({ id }) => id)));
          for (const { id } of events) {
            expect(run.arrived.has(id)).toBe(!lost.has(id));
          }
        },
      ),
      { numRuns: 60, endOnFailure: true },
    );
  }, 60_000);
});
