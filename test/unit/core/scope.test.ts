import { describe, expect, it } from '@jest/globals';
import { ContextStore } from '../../../lib/core/context-store.js';
import { Scope } from '../../../lib/core/scope.js';
import { record } from '../../support/recording.js';

/** A scope as a host opens it, which ends when the test says so. */
class EndingScope extends Scope {
  hasEnded = false;

  override hasRetired(): boolean {
    return this.hasEnded;
  }
}

function setUp() {
  const contextStore = new ContextStore();
  return { ...record({ contextStore }), contextStore, scope: new EndingScope() };
}

describe('a scope that retired', () => {
  it('counts as none for what still runs in it, and in scopes inside it', () => {
    const { tracker, contextStore, scope, last } = setUp();
    contextStore.run(scope, () => {
      tracker.enterContext('user', { user: 'u_1' });
      tracker.context('inner', { inner: 1 }, () => {
        tracker.emit('before');
        expect(last().context).toStrictEqual({ user: 'u_1', inner: 1 });
        scope.hasEnded = true;
        tracker.emit('after');
        expect(last().context).toStrictEqual({});
        expect(contextStore.current()).toBeUndefined();
      });
      expect(tracker.resolveContext()).toStrictEqual({});
    });
  });

  it('gives nothing to scopes that are opened in it afterwards', () => {
    const { tracker, contextStore, scope } = setUp();
    contextStore.run(scope, () => {
      tracker.enterContext('user', { user: 'u_1' });
      scope.hasEnded = true;
      tracker.context('late', { late: 1 }, () => {
        expect(tracker.resolveContext()).toStrictEqual({ late: 1 });
        expect(contextStore.current()?.root.hasRetired()).toBe(false);
      });
    });
  });

  it('is as if outside any scope for what is entered and left in it', () => {
    const { tracker, contextStore, scope, codes } = setUp();
    contextStore.run(scope, () => {
      tracker.enterContext('user', { user: 'u_1' });
      scope.hasEnded = true;
      tracker.exitContext('user');
      expect(codes()).toStrictEqual(['unknown_context']);
      tracker.enterContext('process', { process: 1 });
    });
    expect(tracker.resolveContext()).toStrictEqual({ process: 1 });
  });
});

describe('a frame', () => {
  it('hides the one of its name that was entered outside any scope, until it is left', () => {
    const { tracker, codes } = setUp();
    tracker.enterContext('job', { job: 1, host: 'h' });
    tracker.context('job', { job: 2 }, () => {
      expect(tracker.resolveContext()).toStrictEqual({ job: 2 });
      tracker.context('inner', { inner: 1 }, () => {
        expect(tracker.resolveContext()).toStrictEqual({ job: 2, inner: 1 });
        // Hidden here, it hides what lies further out all the same.
        tracker.exitContext('job');
        expect(tracker.resolveContext()).toStrictEqual({ inner: 1 });
      });
      tracker.exitContext('job');
      expect(tracker.resolveContext()).toStrictEqual({ job: 1, host: 'h' });
    });
    expect(tracker.resolveContext()).toStrictEqual({ job: 1, host: 'h' });
    expect(codes()).toStrictEqual([]);
  });

  it('that was entered outside any scope is not left inside one', () => {
    const { tracker, reports } = setUp();
    tracker.enterContext('job', { job: 1 });
    tracker.context('inner', {}, () => {
      tracker.exitContext('job');
      expect(tracker.resolveContext()).toStrictEqual({ job: 1 });
    });
    expect(reports).toMatchObject([
      { code: 'unknown_context', message: expect.stringContaining('it was entered outside any scope') },
    ]);
    tracker.exitContext('job');
    expect(tracker.resolveContext()).toStrictEqual({});
    expect(reports).toHaveLength(1);
  });

  it('stays hidden in scopes that lie deeper than are kept apart', () => {
    const { tracker } = setUp();
    tracker.enterContext('hidden', { base: 1 });
    const expected: Record<string, number> = { root: 1 };
    const dive = (depth: number): void => {
      tracker.context(`level ${depth}`, { [`level${depth}`]: depth }, () => {
        expected[`level${depth}`] = depth;
        if (depth === 10) {
          tracker.exitContext('hidden');
        }
        const hidden = depth < 10 ? { own: 1 } : {};
        expect(tracker.resolveContext()).toStrictEqual({ ...expected, ...hidden });
        if (depth < 200) {
          dive(depth + 1);
        }
      });
    };
    tracker.context('root', { root: 1 }, () => {
      tracker.enterContext('hidden', { own: 1 });
      dive(1);
      expect(tracker.resolveContext()).toStrictEqual({ root: 1, own: 1 });
    });
  });
});
