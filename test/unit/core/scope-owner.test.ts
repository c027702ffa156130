import { describe, expect, it } from '@jest/globals';
import { ContextStore } from '../../../lib/core/context-store.js';
import type { JsonObject } from '../../../lib/core/json.js';
import type { Trace } from '../../../lib/core/outcome.js';
import type { UnderWay } from '../../../lib/core/under-way.js';
import { isRefusal } from '../../../lib/core/outcome.js';
import { drop } from '../../../lib/core/processor.js';
import type { HeldEvent, ScopeOwner } from '../../../lib/core/scope-owner.js';
import type { TrackerOptions } from '../../../lib/core/tracker-options.js';
import type { Recording } from '../../support/recording.js';
import { deferred, record } from '../../support/recording.js';

interface Host extends Recording {
  readonly store: ContextStore;
  /** Runs work in a new root scope of this owner. */
  serve<T>(owner: ScopeOwner, work: () => T): T;
}

function host(options: Partial<TrackerOptions> = {}): Host {
  const store = new ContextStore();
  return {
    ...record({ contextStore: store, ...options }),
    store,
    serve: (owner, work) => store.run(store.open(owner, []), work),
  };
}

const frozen = (frames: JsonObject): JsonObject => Object.freeze(frames);

describe('the owner of a scope', () => {
  it('lies below everything that is entered, and above the tracker', () => {
    const run = host({ context: { a: 'option', b: 'option', c: 'option' } });
    run.serve({ frames: () => frozen({ b: 'owner', c: 'owner' }) }, () => {
      run.tracker.enterContext('x', { c: 'entered' });
      run.tracker.context('y', { d: 'nested' }, () => {
        expect(run.tracker.resolveContext()).toStrictEqual({
          a: 'option',
          b: 'owner',
          c: 'entered',
          d: 'nested',
        });
      });
    });
  });

  it('may change its frames at any time', () => {
    const run = host();
    let frames = frozen({ user: null });
    run.serve({ frames: () => frames }, () => {
      run.tracker.context('x', { x: 1 }, () => {
        expect(run.tracker.resolveContext()).toStrictEqual({ x: 1 });
        frames = frozen({ user: { id: 7 } });
        run.tracker.emit('a');
        expect(run.last().context).toStrictEqual({ user: { id: 7 }, x: 1 });
      });
      expect(run.tracker.resolveContext()).toStrictEqual({ user: { id: 7 } });
    });
  });

  it('starts from an empty root, whatever was around', () => {
    const run = host();
    run.tracker.context('outer', { outer: 1 }, () => {
      run.serve({ frames: () => frozen({ inner: 1 }) }, () => {
        expect(run.tracker.resolveContext()).toStrictEqual({ inner: 1 });
      });
      expect(run.tracker.resolveContext()).toStrictEqual({ outer: 1 });
    });
  });

  it('is found again by the keys of its request', () => {
    const { store } = host();
    const [request, other] = [{}, {}];
    const scope = store.open({ frames: () => frozen({}) }, [request]);
    expect(store.scopeOf(request)).toBe(scope);
    expect(store.scopeOf(other)).toBeUndefined();
    store.link(other, scope);
    expect(store.scopeOf(other)).toBe(scope);
    expect(store.current()).toBeUndefined();
  });
});

describe('holding events', () => {
  it('keeps them back until they are released, in another context if one is given', () => {
    const run = host();
    const held: HeldEvent[] = [];
    run.serve(
      {
        frames: () => frozen({ request: 1 }),
        hold: (event) => held.push(event) > 0,
      },
      () => {
        run.tracker.emit('a', { n: 1 });
        run.tracker.emit('b', { n: 2 });
        run.tracker.emit('c');
      },
    );
    expect(run.memory.events).toHaveLength(0);
    held[1]?.release({ status: 200 });
    held[0]?.release();
    held[2]?.drop('outcome');
    expect(run.memory.events).toMatchObject([
      {
        name: 'b',
        data: { n: 2 },
        context: { status: 200 },
        id: held[1]?.event.id,
      },
      { name: 'a', data: { n: 1 }, context: { request: 1 } },
    ]);
    expect(JSON.parse(JSON.stringify(run.memory.events[0]))).toStrictEqual({
      ...run.memory.events[0],
    });
    expect(run.tracker.stats()).toMatchObject({
      accepted: 2,
      dropped: { outcome: 1 },
    });
  });

  it('counts what becomes too large, or no JSON, in its new context', () => {
    const dropped: string[] = [];
    const run = host({ limits: { maxBytes: 1_000 } });
    const held: HeldEvent[] = [];
    run.serve(
      {
        frames: () => frozen({}),
        hold: (event) => held.push(event) > 0,
        accounting: {
          dispatched: () => undefined,
          dropped: (reason) => dropped.push(reason),
          waitsForRoom: false,
        },
      },
      () => {
        run.tracker.emit('a');
      },
    );
    held[0]?.release({ text: 'x'.repeat(1_000) });
    held[0]?.release({ notJson: 1n as never });
    expect(dropped).toStrictEqual(['too_large', 'unserialisable']);
    expect(run.tracker.stats().dropped).toStrictEqual({
      too_large: 1,
      unserialisable: 1,
    });
  });

  it('may be declined, and never happens to emitAsync', async () => {
    const run = host();
    run.serve({ frames: () => frozen({}), hold: () => false }, () => {
      run.tracker.emit('a');
      expect(run.memory.events).toHaveLength(1);
    });
    await run.serve({ frames: () => frozen({}), hold: () => true }, () => run.tracker.emitAsync('b'));
    expect(run.last().name).toBe('b');
  });
});

describe('accounting for events', () => {
  function accounting(waitsForRoom = false): {
    owner: ScopeOwner;
    told: [Trace, UnderWay | undefined][];
    dropped: string[];
  } {
    const told: [Trace, UnderWay | undefined][] = [];
    const dropped: string[] = [];
    return {
      told,
      dropped,
      owner: {
        frames: () => frozen({}),
        accounting: {
          dispatched: (trace, underWay) => told.push([trace, underWay]),
          dropped: (reason) => dropped.push(reason),
          waitsForRoom,
        },
      },
    };
  }

  it('hears of every event, and of those that were never born', async () => {
    const gate = deferred();
    const run = host({
      backends: {
        slow: {
          send: (event) => (event.name === 'slow' ? gate.promise : undefined),
        },
      },
    });
    const { owner, told, dropped } = accounting();
    run.serve(owner, () => {
      run.tracker.emit('quick');
      run.tracker.emit('slow');
      void run.tracker.emitAsync('also quick');
      run.tracker.emit('huge', { text: 'x'.repeat(2_000_000) });
    });
    expect(told.map(([, underWay]) => underWay !== undefined)).toStrictEqual([false, true, false]);
    expect(dropped).toStrictEqual(['too_large']);
    gate.reject(new Error('down'));
    await told[1]?.[1]?.promise;
    expect(told.map(([trace]) => trace.refused)).toStrictEqual([false, true, false]);
  });

  it('lets emit wait for room when it says so', async () => {
    const gate = deferred();
    const run = host({
      backends: { slow: { send: () => gate.promise } },
      limits: { maxPending: 1 },
    });
    const { owner, told } = accounting(true);
    run.serve(owner, () => {
      run.tracker.emit('a');
      run.tracker.emit('b');
    });
    gate.resolve();
    await Promise.all(
      told.map(async ([, underWay]) => {
        await underWay?.promise;
      }),
    );
    expect(told.map(([trace]) => trace.refused)).toStrictEqual([false, false]);
    expect(run.reports).toStrictEqual([]);
  });

  it.each<[string, string, boolean]>([
    ['somebody did not want the event', 'internal', false],
    ['it should have been taken', 'overflow', true],
  ])('tells whether %s', (_, reason, refused) => {
    const inBranch = host({
      backends: { a: { processors: [() => drop(reason)], backends: {} } },
    });
    const atRoot = host({ processors: [() => drop(reason)] });
    for (const run of [inBranch, atRoot]) {
      const { owner, told } = accounting();
      run.serve(owner, () => {
        run.tracker.emit('x');
      });
      expect(told.map(([trace]) => trace.refused)).toStrictEqual([refused]);
    }
    expect(isRefusal(reason)).toBe(refused);
  });
});

describe('an event that became several', () => {
  it('is reported with the worst that happened at a backend', async () => {
    const run = record({
      processors: [(event) => ['good', 'bad', 'good'].map((name) => ({ ...event, name }))],
      backends: {
        picky: {
          send: (event) => {
            if (event.name === 'bad') {
              throw new Error('bad');
            }
          },
        },
      },
    });
    await expect(run.tracker.emitAsync('x')).resolves.toMatchObject({
      outcomes: { picky: { status: 'failed' } },
    });
    expect(run.tracker.stats().backends['picky']).toMatchObject({
      accepted: 2,
      dropped: { failed: 1 },
    });
  });
});
