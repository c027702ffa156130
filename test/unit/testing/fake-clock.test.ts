import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from '@jest/globals';
import { fakeClock } from '../../../lib/testing.js';

describe('fakeClock', () => {
  it('starts at a fixed instant, or a given one, and stands still', () => {
    const clock = fakeClock();

    expect(new Date(clock.now()).toISOString()).toBe('2026-01-01T00:00:00.000Z');
    expect(clock.monotonicMs()).toBe(0);
    expect(fakeClock(1_000).now()).toBe(1_000);
  });

  it('runs what falls due in order, and shows each timer its own time', async () => {
    const clock = fakeClock(0);
    const ran: [string, number, number][] = [];
    const note = (what: string) => () => {
      ran.push([what, clock.now(), clock.monotonicMs()]);
    };
    clock.setTimeout(note('later'), 30);
    clock.setTimeout(note('sooner'), 10);
    clock.setTimeout(note('as soon'), 10);
    clock.setTimeout(note('not yet'), 51);

    await clock.advance(50);

    expect(ran).toEqual([
      ['sooner', 10, 10],
      ['as soon', 10, 10],
      ['later', 30, 30],
    ]);
    expect(clock.now()).toBe(50);
    await clock.advance(1);
    expect(ran).toHaveLength(4);
  });

  it('runs what a timer, or a promise that it settles, starts on the way', async () => {
    const clock = fakeClock();
    const at: number[] = [];
    const tick = () => {
      at.push(clock.monotonicMs());
      void Promise.resolve()
        .then(() => Promise.resolve())
        .then(() => {
          clock.setTimeout(tick, 10);
        });
    };
    clock.setTimeout(tick, 10);

    await clock.advance(35);

    expect(at).toEqual([10, 20, 30]);
  });

  it('lets promises settle before the first timer and after the last', async () => {
    const clock = fakeClock();
    let settled = false;
    void Promise.resolve().then(() => {
      clock.setTimeout(() => {
        void Promise.resolve().then(() => {
          settled = true;
        });
      }, 5);
    });

    await clock.advance(5);

    expect(settled).toBe(true);
  });

  it('runs a timer without a wait when time is moved by nothing', async () => {
    const clock = fakeClock();
    const ran: string[] = [];
    clock.setTimeout(() => ran.push('none'), 0);
    clock.setTimeout(() => ran.push('negative'), -5);

    await clock.advance(0);

    expect(ran).toEqual(['none', 'negative']);
    expect(clock.monotonicMs()).toBe(0);
  });

  it('does not run what was cancelled', async () => {
    const clock = fakeClock();
    const ran: string[] = [];
    const second = clock.setTimeout(() => ran.push('second'), 2);
    clock.setTimeout(() => {
      ran.push('first');
      clock.clearTimeout(second);
    }, 1);
    clock.clearTimeout(undefined);

    await clock.advance(10);

    expect(ran).toEqual(['first']);
  });

  it('sets wall time alone', async () => {
    const clock = fakeClock(0);
    let ran = false;
    clock.setTimeout(() => {
      ran = true;
    }, 100);

    clock.set(1_000_000);

    expect(clock.now()).toBe(1_000_000);
    expect(clock.monotonicMs()).toBe(0);
    await clock.advance(99);
    expect(ran).toBe(false);
    expect(clock.now()).toBe(1_000_099);
    clock.set(5);
    await clock.advance(1);
    expect(ran).toBe(true);
    expect(clock.now()).toBe(6);
  });

  it('takes one advance after the other', async () => {
    const clock = fakeClock();
    const at: number[] = [];
    clock.setTimeout(() => at.push(clock.monotonicMs()), 15);

    await Promise.all([clock.advance(10), clock.advance(10)]);

    expect(at).toEqual([15]);
    expect(clock.monotonicMs()).toBe(20);
  });

  it('rejects with what a timer throws, and can go on', async () => {
    const clock = fakeClock();
    clock.setTimeout(() => {
      throw new Error('from the timer');
    }, 5);

    await expect(clock.advance(10)).rejects.toThrow('from the timer');
    expect(clock.monotonicMs()).toBe(5);
    await clock.advance(10);
    expect(clock.monotonicMs()).toBe(15);
  });

  it('ends when timers only start each other', async () => {
    const clock = fakeClock();
    const again = () => {
      clock.setTimeout(again, 0);
    };
    again();

    await expect(clock.advance(1)).rejects.toThrow('more than 10000 timers fell due at 0 ms');
  });

  it('waits as long as it is told, unlike Node above 2^31 ms', async () => {
    const clock = fakeClock();
    let ran = false;
    clock.setTimeout(() => {
      ran = true;
    }, Infinity);

    await clock.advance(2 ** 40);

    expect(ran).toBe(false);
  });

  it('runs timers outside the context of whoever started them', async () => {
    const clock = fakeClock();
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];

    await storage.run('the request', async () => {
      clock.setTimeout(() => seen.push(storage.getStore()), 1);
      await clock.advance(1);
    });

    expect(seen).toEqual([undefined]);
  });

  it('refuses times that are none', async () => {
    const clock = fakeClock();

    await expect(clock.advance(-1)).rejects.toThrow(RangeError);
    await expect(clock.advance(NaN)).rejects.toThrow(
      'expected advance of a fake clock to be milliseconds, 0 or more, got NaN',
    );
    expect(() => {
      clock.set(Infinity);
    }).toThrow(RangeError);
    expect(() => fakeClock(NaN)).toThrow(RangeError);
    expect(() => clock.setTimeout(() => undefined, NaN)).toThrow(RangeError);
  });
});
