import { describe, expect, it } from '@jest/globals';
import { ContextStore } from '../../../lib/core/context-store.js';
import type { AnyTracker } from '../../support/recording.js';
import { deferred, inside, record, untyped } from '../../support/recording.js';

const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

describe('a nested context', () => {
  it('is carried by every event inside, and by none outside', () => {
    const { tracker, memory } = record();
    tracker.emit('before');
    const answer = tracker.context('order', { order: 7 }, () => {
      tracker.emit('inside');
      return 42;
    });
    tracker.emit('after');
    expect(answer).toBe(42);
    expect(memory.events.map(({ context }) => context)).toStrictEqual([{}, { order: 7 }, {}]);
  });

  it('lies over what is around it, key by key and shallow', () => {
    const { tracker, last } = record();
    tracker.context('outer', { a: { x: 1, y: 1 }, b: 1 }, () => {
      tracker.context('inner', { a: { x: 2 }, c: 2 }, () => {
        tracker.emit('a');
      });
      expect(last().context).toStrictEqual({ a: { x: 2 }, b: 1, c: 2 });
      tracker.emit('b');
      expect(last().context).toStrictEqual({ a: { x: 1, y: 1 }, b: 1 });
    });
  });

  it('replaces one of the same name and moves it last; leaving gives the outer one back', () => {
    const { tracker } = record();
    tracker.context('a', { k: 1, a: 1 }, () => {
      tracker.context('b', { k: 2 }, () => {
        tracker.context('a', { k: 3 }, () => {
          expect(tracker.resolveContext()).toStrictEqual({ k: 3 });
        });
        expect(tracker.resolveContext()).toStrictEqual({ k: 2, a: 1 });
      });
    });
  });

  it('is left when the work throws', () => {
    const { tracker } = record();
    const error = new Error('work');
    expect(() =>
      tracker.context('a', { a: 1 }, () => {
        tracker.enterContext('b', { b: 1 });
        throw error;
      }),
    ).toThrow(error);
    expect(tracker.resolveContext()).toStrictEqual({});
  });

  it('follows asynchronous work, and is left when it rejects', async () => {
    const { tracker, memory } = record();
    const error = new Error('work');
    const work = tracker.context('a', { a: 1 }, async () => {
      await turn();
      tracker.emit('inside');
      await new Promise((resolve) => setTimeout(resolve, 0));
      tracker.emit('later');
      throw error;
    });
    tracker.emit('outside');
    await expect(work).rejects.toBe(error);
    expect(tracker.resolveContext()).toStrictEqual({});
    expect(memory.events.map(({ name, context }) => [name, context])).toStrictEqual([
      ['outside', {}],
      ['inside', { a: 1 }],
      ['later', { a: 1 }],
    ]);
  });

  it('removes keys that are null and leaves those that are undefined', () => {
    const { tracker } = record();
    tracker.context('outer', { a: 1, b: 1, c: 1 }, () => {
      tracker.context('inner', { a: null, b: undefined, c: 2, never: null }, () => {
        expect(tracker.resolveContext()).toStrictEqual({ b: 1, c: 2 });
        tracker.context('again', { a: 3 }, () => {
          expect(tracker.resolveContext()).toStrictEqual({
            a: 3,
            b: 1,
            c: 2,
          });
        });
      });
      expect(tracker.resolveContext()).toStrictEqual({ a: 1, b: 1, c: 1 });
    });
  });

  it('keeps nulls below the top level', () => {
    const { tracker } = record();
    tracker.context('a', { user: { name: null } }, () => {
      expect(tracker.resolveContext()).toStrictEqual({ user: { name: null } });
    });
  });

  it('is a copy of what was given', () => {
    const { tracker, last } = record();
    const data = { user: { id: 1 } };
    tracker.context('a', data, () => {
      data.user.id = 2;
      tracker.emit('a');
    });
    expect(last().context).toStrictEqual({ user: { id: 1 } });
  });

  it('is resolved to one frozen object while nothing changes', () => {
    const { tracker, memory } = record();
    tracker.context('a', { a: { b: 1 } }, () => {
      const resolved = tracker.resolveContext();
      expect(Object.isFrozen(resolved)).toBe(true);
      expect(Object.isFrozen(resolved['a'])).toBe(true);
      expect(tracker.resolveContext()).toBe(resolved);
      tracker.emit('a');
      expect(memory.events[0]?.context).toBe(resolved);
      tracker.enterContext('b', { b: 1 });
      expect(tracker.resolveContext()).not.toBe(resolved);
    });
  });
});

describe('entering and leaving inside a scope', () => {
  it('lasts to the end of the scope, for everything in it', async () => {
    const { tracker } = record();
    await tracker.context('job', {}, async () => {
      tracker.enterContext('step', { step: 1 });
      await turn();
      expect(tracker.resolveContext()).toStrictEqual({ step: 1 });
      const inner = tracker.context('inner', { inner: 1 }, async () => {
        await turn();
        return tracker.resolveContext();
      });
      tracker.enterContext('step', { step: 2 });
      expect(await inner).toStrictEqual({ step: 2, inner: 1 });
    });
    expect(tracker.resolveContext()).toStrictEqual({});
  });

  it('ends with the nested scope in which it was done', () => {
    const { tracker } = record();
    tracker.context('outer', { a: 1 }, () => {
      tracker.context('inner', {}, () => {
        tracker.enterContext('x', { a: 2 });
        tracker.exitContext('outer');
        expect(tracker.resolveContext()).toStrictEqual({ a: 2 });
      });
      expect(tracker.resolveContext()).toStrictEqual({ a: 1 });
    });
  });

  it('twice and leaving once leaves nothing', () => {
    const { tracker, codes } = record();
    tracker.context('job', {}, () => {
      tracker.enterContext('a', { k: 1 });
      tracker.enterContext('a', { k: 2 });
      tracker.exitContext('a');
      expect(tracker.resolveContext()).toStrictEqual({});
      tracker.exitContext('a');
      expect(codes()).toStrictEqual(['unknown_context']);
    });
  });

  it('may be done in any order', () => {
    const { tracker } = record();
    tracker.context('job', {}, () => {
      tracker.enterContext('a', { k: 'a', a: 1 });
      tracker.enterContext('b', { k: 'b', b: 1 });
      tracker.exitContext('a');
      expect(tracker.resolveContext()).toStrictEqual({ k: 'b', b: 1 });
      tracker.enterContext('a', { k: 'a' });
      tracker.exitContext('b');
      expect(tracker.resolveContext()).toStrictEqual({ k: 'a' });
    });
  });

  it('hides an outer context until the nested scope is left, and can be undone in it', () => {
    const { tracker, codes } = record();
    tracker.context('a', { a: 1 }, () => {
      tracker.context('b', { b: 1 }, () => {
        tracker.exitContext('a');
        tracker.exitContext('a');
        expect(codes()).toStrictEqual(['unknown_context']);
        expect(tracker.resolveContext()).toStrictEqual({ b: 1 });
        tracker.context('c', { c: 1 }, () => {
          expect(tracker.resolveContext()).toStrictEqual({ b: 1, c: 1 });
          tracker.exitContext('a');
        });
        expect(codes()).toHaveLength(2);
        tracker.enterContext('a', { a: 2 });
        expect(tracker.resolveContext()).toStrictEqual({ b: 1, a: 2 });
      });
      expect(tracker.resolveContext()).toStrictEqual({ a: 1 });
    });
  });

  it("of the scope's own context leaves the work without it", () => {
    const { tracker } = record();
    tracker.context('a', { a: 1 }, () => {
      tracker.exitContext('a');
      expect(tracker.resolveContext()).toStrictEqual({});
    });
  });

  it('reports a name that was never entered', () => {
    const { tracker, reports } = record();
    tracker.exitContext('nobody');
    tracker.context('job', {}, () => {
      tracker.exitContext('nobody');
    });
    expect(reports).toMatchObject([
      { code: 'unknown_context', message: expect.stringContaining('"nobody"') },
      { code: 'unknown_context' },
    ]);
  });
});

describe('outside any scope', () => {
  it('contexts lie below every scope of the process, for this tracker alone', () => {
    const contextStore = new ContextStore();
    const one = record({ contextStore });
    const two = record({ contextStore });
    one.tracker.enterContext('release', { release: '1.2', k: 'base' });
    expect(one.tracker.resolveContext()).toStrictEqual({
      release: '1.2',
      k: 'base',
    });
    expect(two.tracker.resolveContext()).toStrictEqual({});
    two.tracker.context('job', { k: 'job' }, () => {
      expect(one.tracker.resolveContext()).toStrictEqual({
        release: '1.2',
        k: 'job',
      });
      expect(two.tracker.resolveContext()).toStrictEqual({ k: 'job' });
      one.tracker.exitContext('release');
      expect(one.codes()).toStrictEqual(['unknown_context']);
    });
    one.tracker.exitContext('release');
    expect(one.tracker.resolveContext()).toStrictEqual({});
  });

  it('re-entering moves a context last', () => {
    const { tracker } = record();
    tracker.enterContext('a', { k: 1 });
    tracker.enterContext('b', { k: 2 });
    tracker.enterContext('a', { k: 3 });
    expect(tracker.resolveContext()).toStrictEqual({ k: 3 });
    tracker.exitContext('a');
    expect(tracker.resolveContext()).toStrictEqual({ k: 2 });
    tracker.exitContext('a');
  });

  it('contexts entered later are seen by scopes that are open', () => {
    const { tracker } = record();
    const done = deferred();
    const job = tracker.context('job', { j: 1 }, async () => {
      await done.promise;
      return tracker.resolveContext();
    });
    tracker.enterContext('late', { late: 1 });
    done.resolve();
    return expect(job).resolves.toStrictEqual({ late: 1, j: 1 });
  });

  it('entering is refused once a host serves', () => {
    const { tracker, reports } = record();
    tracker.enterContext('release', { release: 1 });
    inside(tracker).seal();
    tracker.enterContext('user', { user: 7 });
    expect(tracker.resolveContext()).toStrictEqual({ release: 1 });
    expect(reports).toMatchObject([
      {
        code: 'context_outside_scope',
        message: expect.stringContaining('"user"'),
      },
    ]);
    tracker.context('job', {}, () => {
      tracker.enterContext('user', { user: 7 });
      expect(tracker.resolveContext()).toStrictEqual({ release: 1, user: 7 });
    });
    const child = tracker.child({ context: { c: 1 } });
    child.enterContext('user', { user: 8 });
    expect(child.resolveContext()).toStrictEqual({ c: 1, release: 1 });
    expect(reports).toHaveLength(2);
  });
});

describe('precedence', () => {
  it('is option, child, base, scopes in order, event; the later wins', () => {
    const { tracker, last } = record({
      context: {
        a: 'option',
        b: 'option',
        c: 'option',
        d: 'option',
        e: 'option',
        f: 'option',
      },
    });
    const child = tracker.child({
      context: { b: 'child', c: 'child', d: 'child', e: 'child', f: 'child' },
    });
    const grandchild = child.child({
      context: {
        c: 'grandchild',
        d: 'grandchild',
        e: 'grandchild',
        f: 'grandchild',
      },
    });
    tracker.enterContext('base', { d: 'base', e: 'base', f: 'base' });
    tracker.context('scope', { e: 'scope', f: 'scope' }, () => {
      grandchild.emit('x', {}, { context: { f: 'event' } });
      expect(last().context).toStrictEqual({
        a: 'option',
        b: 'child',
        c: 'grandchild',
        d: 'base',
        e: 'scope',
        f: 'event',
      });
      child.emit('x');
      expect(last().context).toStrictEqual({
        a: 'option',
        b: 'child',
        c: 'child',
        d: 'base',
        e: 'scope',
        f: 'scope',
      });
      tracker.emit('x');
      expect(last().context).toStrictEqual({
        a: 'option',
        b: 'option',
        c: 'option',
        d: 'base',
        e: 'scope',
        f: 'scope',
      });
    });
  });

  it('lets a stronger null take away what is weaker', () => {
    const { tracker, last } = record({ context: { a: 1, b: 1, c: 1, d: 1 } });
    const child = tracker.child({ context: { a: null } });
    child.enterContext('base', { b: null });
    child.context('scope', { c: null }, () => {
      child.emit('x', {}, { context: { d: null } });
    });
    expect(last().context).toStrictEqual({});
  });
});

describe('several trackers on one store', () => {
  it('see the same scopes, each with its own layers', () => {
    const contextStore = new ContextStore();
    const one = record({ contextStore, context: { app: 'one' } });
    const two = record({ contextStore, context: { app: 'two' } });
    one.tracker.context('order', { order: 1 }, () => {
      one.tracker.emit('a');
      two.tracker.emit('b');
      two.tracker.enterContext('more', { more: 1 });
      one.tracker.emit('c');
    });
    expect(one.memory.events.map(({ context }) => context)).toStrictEqual([
      { app: 'one', order: 1 },
      { app: 'one', order: 1, more: 1 },
    ]);
    expect(two.memory.events[0]?.context).toStrictEqual({
      app: 'two',
      order: 1,
    });
  });

  it('do not hurt each other with different limits', () => {
    const contextStore = new ContextStore();
    const wide = record({ contextStore });
    const narrow = record({ contextStore, limits: { maxDepth: 2 } });
    wide.tracker.context('deep', { a: { b: { c: 1 } } }, () => {
      wide.tracker.emit('a', { ok: 1 });
      narrow.tracker.emit('a', { ok: 1 });
    });
    expect(wide.last()).toMatchObject({
      data: { ok: 1 },
      context: { a: { b: { c: 1 } } },
    });
    expect(narrow.last().data).toStrictEqual({ ok: 1 });
    expect(JSON.parse(JSON.stringify(narrow.last()))).toStrictEqual({
      ...narrow.last(),
    });
  });

  it('share the store of the process unless they are given one', () => {
    const one = record({ contextStore: untyped(undefined) });
    const two = record({ contextStore: untyped(undefined) });
    const three = record();
    one.tracker.context('a', { a: 1 }, () => {
      expect(two.tracker.resolveContext()).toStrictEqual({ a: 1 });
      expect(three.tracker.resolveContext()).toStrictEqual({});
    });
  });
});

describe('concurrent work', () => {
  async function donate(tracker: AnyTracker, donor: number, order: number[]): Promise<void> {
    await tracker.context('donor', { donor, step: 0 }, async () => {
      for (let step = 1; step <= 5; step++) {
        await Promise.all(
          (order[(donor + step) % order.length] ?? 0) % 2 === 0 ? [turn(), turn()] : [Promise.resolve()],
        );
        tracker.enterContext('step', { step });
        await tracker.context('inner', { inner: donor * step }, async () => {
          await turn();
          tracker.emit('step', { donor, step });
        });
        tracker.emit('done', { donor, step });
      }
    });
  }

  it('never mixes contexts up', async () => {
    const { tracker, memory } = record();
    const order = Array.from({ length: 17 }, (_, i) => (i * 7) % 5);
    await Promise.all(Array.from({ length: 300 }, (_, donor) => donate(tracker, donor, order)));
    expect(memory.events).toHaveLength(3_000);
    for (const { name, data, context } of memory.events) {
      const { donor, step } = data as { donor: number; step: number };
      expect(context).toStrictEqual({
        donor,
        step,
        ...(name === 'step' ? { inner: donor * step } : {}),
      });
    }
    expect(tracker.resolveContext()).toStrictEqual({});
  });
});

describe('a very long chain of scopes', () => {
  it('costs no more memory or stack than a short one, and keeps its frames', async () => {
    const { tracker, last, reports } = record();
    const rounds = 20_000;
    await new Promise<void>((resolve) => {
      const tick = (round: number): void => {
        tracker.context(`tick ${round % 3}`, { [`k${round % 3}`]: round }, () => {
          if (round === rounds) {
            tracker.emit('last');
            resolve();
          } else {
            void Promise.resolve().then(() => {
              tick(round + 1);
            });
          }
        });
      };
      tracker.context('start', { start: true }, () => {
        tick(1);
      });
    });
    expect(reports).toStrictEqual([]);
    expect(last().context).toStrictEqual({
      start: true,
      k0: 19_998,
      k1: 19_999,
      k2: 20_000,
    });
  });

  it('keeps what was left hidden, and the order', () => {
    const { tracker } = record();
    const nest = (depth: number, work: () => void): void => {
      if (depth === 0) {
        work();
      } else {
        tracker.context(`frame ${depth}`, { [`f${depth}`]: depth, k: depth }, () => {
          nest(depth - 1, work);
        });
      }
    };
    tracker.context('gone', { gone: 1 }, () => {
      tracker.context('hide', {}, () => {
        tracker.exitContext('gone');
        nest(500, () => {
          const context = tracker.resolveContext();
          expect(Object.keys(context)).toHaveLength(501);
          expect(context['k']).toBe(1);
          expect(context['gone']).toBeUndefined();
          tracker.exitContext('frame 1');
          tracker.exitContext('frame 400');
          expect(tracker.resolveContext()).toMatchObject({ k: 2 });
          expect(tracker.resolveContext()).not.toHaveProperty('f400');
        });
      });
      expect(tracker.resolveContext()).toStrictEqual({ gone: 1 });
    });
  });
});
