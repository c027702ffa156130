import { describe, expect, it } from '@jest/globals';
import { Deadlines } from '../../../lib/core/deadlines.js';
import type { TrackedEvent } from '../../../lib/core/event.js';
import type { HeldEvent } from '../../../lib/core/scope-owner.js';
import { HeldEvents } from '../../../lib/express/held-events.js';
import type { FakeClock } from '../../../lib/testing/fake-clock.js';
import { fakeClock } from '../../../lib/testing/fake-clock.js';
import { untyped } from '../../support/recording.js';

interface Holding {
  readonly held: HeldEvents;
  readonly clock: FakeClock;
  readonly released: string[];
  hold(...names: string[]): void;
}

function holding(maxEvents: number, maxMs: number): Holding {
  const clock = fakeClock();
  const held = new HeldEvents(maxEvents, new Deadlines(clock, maxMs));
  const released: string[] = [];
  const event = (name: string): HeldEvent => ({
    event: untyped<TrackedEvent>({ name }),
    release: () => {
      released.push(name);
    },
    drop: () => undefined,
  });
  return {
    held,
    clock,
    released,
    hold: (...names) => {
      for (const name of names) {
        held.add(event(name));
      }
    },
  };
}

const namesOf = (events: readonly HeldEvent[]): string[] => events.map(({ event }) => event.name);

describe('held events', () => {
  it('are taken in the order of their emission, once', () => {
    const { held, hold, released } = holding(10, 1_000);
    hold('a', 'b', 'c');
    expect(namesOf(held.take())).toStrictEqual(['a', 'b', 'c']);
    expect(held.take()).toStrictEqual([]);
    expect(released).toStrictEqual([]);
  });

  it('leave beyond the bound, the oldest first', () => {
    const { held, hold, released } = holding(2, 1_000);
    hold('a', 'b');
    expect(released).toStrictEqual([]);
    hold('c', 'd');
    expect(released).toStrictEqual(['a', 'b']);
    expect(namesOf(held.take())).toStrictEqual(['c', 'd']);
  });

  it('leave when their time is up, counted from the first', async () => {
    const { hold, released, clock } = holding(10, 1_000);
    hold('a');
    await clock.advance(600);
    hold('b');
    await clock.advance(399);
    expect(released).toStrictEqual([]);
    await clock.advance(1);
    expect(released).toStrictEqual(['a', 'b']);
  });

  it('have the whole time again after the others left', async () => {
    const { hold, released, clock } = holding(10, 1_000);
    hold('a');
    await clock.advance(1_000);
    hold('b');
    await clock.advance(999);
    expect(released).toStrictEqual(['a']);
    await clock.advance(1);
    expect(released).toStrictEqual(['a', 'b']);
  });

  it('leave no timer behind when they are taken', async () => {
    const { held, hold, released, clock } = holding(10, 1_000);
    hold('a');
    held.take();
    hold('b');
    await clock.advance(999);
    expect(released).toStrictEqual([]);
  });
});
