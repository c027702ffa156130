import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, jest } from '@jest/globals';
import type { TrackingEvent } from '../../lib/core/event.js';
import { eventJson } from '../../lib/core/event.js';
import { record } from '../support/recording.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What is left in use after everything unreachable is gone. */
async function heapBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  return process.memoryUsage().heapUsed;
}

/** How much more is in use after many rounds of the same work. */
async function growth(rounds: number, work: (round: number) => unknown): Promise<number> {
  for (let i = 0; i < 1_000; i++) {
    await work(i);
  }
  const before = await heapBytes();
  for (let i = 0; i < rounds; i++) {
    await work(i);
  }
  return (await heapBytes()) - before;
}

// Much work, on machines that do other things as well.
jest.setTimeout(60_000);

const MEGABYTE = 1024 * 1024;
const hang = (): Promise<never> => new Promise(() => undefined);

describe('memory', () => {
  it('is given back after every scope', async () => {
    const run = record();
    const grown = await growth(30_000, (round) => {
      run.tracker.context('request', { round, text: 'x'.repeat(100) }, () => {
        run.tracker.enterContext('user', { id: round });
        run.tracker.emit('a', { round });
        run.memory.clear();
      });
    });
    expect(grown).toBeLessThan(2 * MEGABYTE);
  });

  it('is given back when work starts its next round inside its own context', async () => {
    const run = record();
    const rounds = 30_000;
    let before = 0;
    let after = 0;
    await new Promise<void>((resolve) => {
      const tick = (round: number): void => {
        run.tracker.context('tick', { round, text: 'x'.repeat(500) }, () => {
          void (async () => {
            if (round === 1_000) {
              before = await heapBytes();
            }
            if (round === rounds) {
              after = await heapBytes();
              resolve();
            } else {
              await Promise.resolve();
              tick(round + 1);
            }
          })();
        });
      };
      tick(0);
    });
    expect(after - before).toBeLessThan(2 * MEGABYTE);
  });

  it('is given back by sends and processors that never end, once their time is up', async () => {
    const refs: WeakRef<TrackingEvent>[] = [];
    const remember = (event: TrackingEvent): Promise<never> => {
      refs.push(new WeakRef(event));
      return hang();
    };
    const run = record({
      backends: { stuck: { send: remember } },
      processors: [remember],
    });
    for (let i = 0; i < 100; i++) {
      run.tracker.emit('a', { i });
      void run.tracker.emitAsync('b', { i });
    }
    await run.clock.advance(60_000);
    run.reports.length = 0;
    await heapBytes();
    expect(refs).toHaveLength(400);
    expect(refs.filter((ref) => ref.deref() !== undefined)).toHaveLength(0);
    await expect(run.tracker.flush()).resolves.toStrictEqual({
      settled: true,
      pending: 0,
    });
  });

  it('does not grow with names, reasons, problems, children or large events', async () => {
    const run = record({
      onError: () => undefined,
      processors: [() => ({ reason: 1 }) as never],
    });
    const grown = await growth(20_000, (round) => {
      run.tracker.emit(`name ${round} ${'x'.repeat(2_000)}`, { n: 1n });
      run.tracker.child({ context: { round } }).emit('child');
      if (round % 100 === 0) {
        run.tracker.emit('large', { text: 'x'.repeat(200_000) });
      }
      run.tracker.exitContext(`nobody ${round}`);
      run.memory.clear();
    });
    expect(grown).toBeLessThan(2 * MEGABYTE);
  });

  it('is not kept for long names', async () => {
    const run = record();
    run.tracker.emit('warm up');
    const before = await heapBytes();
    for (let i = 0; i < 1_000; i++) {
      run.tracker.emit(`name ${i} ${'x'.repeat(20_000)}`);
      eventJson(run.last());
      run.memory.clear();
    }
    expect((await heapBytes()) - before).toBeLessThan(2 * MEGABYTE);
  });

  it('of an event that is kept is about the size of its JSON', async () => {
    const kept: TrackingEvent[] = [];
    const { tracker } = record({
      backends: {
        some: {
          send: (event) => {
            if (event.name === 'kept') {
              kept.push(event);
            }
          },
        },
      },
    });
    const emit = (i: number): void => {
      tracker.emit('kept', { i, text: 'x'.repeat(2_000) });
      tracker.emit('not kept', { text: 'y'.repeat(100_000) });
    };
    emit(0);
    const before = await heapBytes();
    for (let i = 1; i <= 2_000; i++) {
      emit(i);
    }
    // Reading joins the parts of which a text is made.
    const bytes = kept.reduce((sum, event) => sum + eventJson(event).length, 0);
    kept.forEach((event) => JSON.parse(eventJson(event)) as unknown);
    expect(kept).toHaveLength(2_001);
    expect((await heapBytes()) - before).toBeLessThan(3 * bytes);
  });
});
