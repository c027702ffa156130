import { describe, expect, it } from '@jest/globals';
import { FlushCoalescer } from '../../../lib/express/flush-coalescer.js';
import type { Deferred } from '../../support/recording.js';
import { deferred } from '../../support/recording.js';

interface Flushes {
  readonly coalescer: FlushCoalescer;
  /** The flushes so far, for the test to end. */
  readonly begun: Deferred[];
}

function flushes(): Flushes {
  const begun: Deferred[] = [];
  const coalescer = new FlushCoalescer(() => {
    const flush = deferred();
    begun.push(flush);
    return flush.promise;
  });
  return { coalescer, begun };
}

async function isSettled(work: Promise<void>): Promise<boolean> {
  const pending = Symbol('pending');
  const turn = new Promise((resolve) => setImmediate(resolve, pending));
  return (await Promise.race([work, turn])) !== pending;
}

describe('coalesced flushes', () => {
  it('begin at once when none is running', async () => {
    const { coalescer, begun } = flushes();
    void coalescer.request();
    await Promise.resolve();
    expect(begun).toHaveLength(1);
  });

  it('become one more for all who ask while one is running', async () => {
    const { coalescer, begun } = flushes();
    const first = coalescer.request();
    await Promise.resolve();
    const later = Array.from({ length: 100 }, () => coalescer.request());
    expect(begun).toHaveLength(1);
    begun[0]?.resolve();
    await first;
    await Promise.resolve();
    expect(begun).toHaveLength(2);
    begun[1]?.resolve();
    await Promise.all(later);
    expect(begun).toHaveLength(2);
  });

  it('resolve only after a flush that began after the wish', async () => {
    const { coalescer, begun } = flushes();
    void coalescer.request();
    await Promise.resolve();
    const later = coalescer.request();
    begun[0]?.resolve();
    expect(await isSettled(later)).toBe(false);
    begun[1]?.resolve();
    expect(await isSettled(later)).toBe(true);
  });

  it('never run side by side, whoever asks in between', async () => {
    let running = 0;
    let most = 0;
    const coalescer = new FlushCoalescer(async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
    });
    const wishes: Promise<void>[] = [];
    const ask = (): Promise<void> => {
      const wish = coalescer.request();
      wishes.push(wish);
      return wish;
    };
    for (let i = 0; i < 20; i++) {
      void ask().then(() => void ask());
      void ask().then(() => void ask());
      await Promise.race(wishes);
      await Promise.resolve();
    }
    await Promise.all(wishes);
    expect(most).toBe(1);
  });

  it('start anew when all is quiet again', async () => {
    const { coalescer, begun } = flushes();
    const first = coalescer.request();
    await Promise.resolve();
    begun[0]?.resolve();
    await first;
    void coalescer.request();
    await Promise.resolve();
    expect(begun).toHaveLength(2);
  });
});
