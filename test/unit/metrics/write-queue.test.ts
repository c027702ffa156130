import { describe, expect, it } from '@jest/globals';
import { WriteQueue } from '../../../lib/metrics/write-queue.js';
import type { Settled } from '../../../lib/metrics/write-queue.js';

interface Batch {
  readonly work: readonly number[];
  finish(results?: readonly Settled<unknown>[]): void;
  fail(error: unknown): void;
}

function queueWith(options: Partial<ConstructorParameters<typeof WriteQueue>[1]> = {}): {
  queue: WriteQueue<number>;
  batches: Batch[];
} {
  const batches: Batch[] = [];
  const queue = new WriteQueue<number>(
    (work) =>
      new Promise((resolve, reject) => {
        batches.push({
          work,
          finish: (results = work.map((value) => ({ value }))) => {
            resolve(results);
          },
          fail: reject,
        });
      }),
    { maxInFlight: 1, maxBatch: 3, maxWaiting: 5, ...options },
  );
  return { queue, batches };
}

/** Lets everything happen that needs no outside. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a write queue', () => {
  it('puts the work of one turn into one batch, and gathers while one is under way', async () => {
    const { queue, batches } = queueWith();
    const first = [queue.push(1), queue.push(2)];
    await turn();
    const second = [queue.push(3), queue.push(4)];
    await turn();
    expect(batches.map(({ work }) => work)).toEqual([[1, 2]]);

    batches[0]?.finish();
    expect(await Promise.all(first)).toEqual([1, 2]);
    await turn();
    batches[1]?.finish();
    expect(await Promise.all(second)).toEqual([3, 4]);
  });

  it('starts several batches when there is more than fits into one', async () => {
    const { queue, batches } = queueWith({ maxInFlight: 2 });
    const all = [1, 2, 3, 4, 5].map((work) => queue.push(work));
    await turn();
    expect(batches.map(({ work }) => work)).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
    batches.forEach((batch) => {
      batch.finish();
    });

    expect(await Promise.all(all)).toEqual([1, 2, 3, 4, 5]);
  });

  it('refuses what does not fit', async () => {
    const { queue, batches } = queueWith({ maxWaiting: 1 });
    const first = queue.push(1);
    await expect(queue.push(2)).rejects.toThrow(/1 writes wait/);
    await turn();
    batches[0]?.finish();

    expect(await first).toBe(1);
  });

  it('rejects each piece by itself, or all when the batch fails or answers too little', async () => {
    const { queue, batches } = queueWith();
    const settled = Promise.allSettled([queue.push(1), queue.push(2), queue.push(3)]);
    await turn();
    batches[0]?.finish([{ value: 1 }, { error: new Error('refused') }]);
    const [first, second, third] = await settled;
    expect(first).toEqual({ status: 'fulfilled', value: 1 });
    expect(second).toMatchObject({ reason: new Error('refused') });
    expect(third).toMatchObject({ reason: new Error('no answer') });

    const failing = queue.push(4).catch((error: unknown) => error);
    await turn();
    batches[1]?.fail(new Error('down'));
    expect(await failing).toEqual(new Error('down'));
  });

  it('drains when nothing waits and nothing is under way', async () => {
    const { queue, batches } = queueWith({ maxBatch: 1 });
    await queue.drain();
    const work = [queue.push(1), queue.push(2)];
    let isDrained = false;
    const drained = queue.drain().then(() => {
      isDrained = true;
    });
    await turn();
    batches[0]?.finish();
    await turn();
    expect(isDrained).toBe(false);
    batches[1]?.finish();

    await Promise.all([...work, drained]);
    expect(isDrained).toBe(true);
  });
});
