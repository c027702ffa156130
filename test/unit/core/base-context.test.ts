import { describe, expect, it } from '@jest/globals';
import { ContextStore } from 'nestjs-tracking/core';
import { deferred, record } from '../../support/recording.js';

const OUTSIDE = /"release".*outside any (scope|request)/;

describe('a frame of the base', () => {
  it('is hidden by one of its name in a scope, whole, and there again after it', () => {
    const { tracker, last, reports } = record();
    tracker.enterContext('release', { release: '1.2', build: 7 });
    tracker.context('release', { release: '2.0' }, () => {
      expect(tracker.resolveContext()).toStrictEqual({ release: '2.0' });
      tracker.emit('a');
      expect(last().context).toStrictEqual({ release: '2.0' });
    });
    expect(tracker.resolveContext()).toStrictEqual({ release: '1.2', build: 7 });
    tracker.context('job', { job: 1 }, () => {
      tracker.enterContext('release', { release: '2.0' });
      expect(tracker.resolveContext()).toStrictEqual({ job: 1, release: '2.0' });
    });
    tracker.emit('a');
    expect(last().context).toStrictEqual({ release: '1.2', build: 7 });
    expect(reports).toStrictEqual([]);
  });

  it('is hidden in the scopes inside, too, and in no other', () => {
    const { tracker } = record();
    tracker.enterContext('release', { build: 7 });
    tracker.context('job', {}, () => {
      tracker.context('release', { release: '2.0' }, () => {
        tracker.context('step', { step: 1 }, () => {
          expect(tracker.resolveContext()).toStrictEqual({ release: '2.0', step: 1 });
        });
      });
      expect(tracker.resolveContext()).toStrictEqual({ build: 7 });
    });
  });

  it('stays visible beside frames of other names, whatever keys they have', () => {
    const { tracker } = record();
    tracker.enterContext('release', { release: '1.2', build: 7 });
    tracker.context('other', { release: '2.0' }, () => {
      expect(tracker.resolveContext()).toStrictEqual({ release: '2.0', build: 7 });
    });
  });

  it('is hidden when it is entered later than the frame of the scope', async () => {
    const { tracker, last } = record();
    const begun = deferred();
    const work = tracker.context('release', { release: '2.0' }, async () => {
      await begun.promise;
      tracker.emit('a');
    });
    tracker.enterContext('release', { build: 7 });
    begun.resolve();
    await work;
    expect(last().context).toStrictEqual({ release: '2.0' });
  });

  it('is hidden only for its own tracker: others have a base of their own', () => {
    const contextStore = new ContextStore();
    const [one, two] = [record({ contextStore }), record({ contextStore })];
    one.tracker.enterContext('release', { one: 1 });
    two.tracker.enterContext('build', { two: 2 });
    one.tracker.context('release', { release: '2.0' }, () => {
      expect(one.tracker.resolveContext()).toStrictEqual({ release: '2.0' });
      expect(two.tracker.resolveContext()).toStrictEqual({ two: 2, release: '2.0' });
    });
    one.tracker.context('build', { build: 8 }, () => {
      expect(one.tracker.resolveContext()).toStrictEqual({ one: 1, build: 8 });
      expect(two.tracker.resolveContext()).toStrictEqual({ build: 8 });
    });
  });

  it('hides neither the option nor the context of a child, which have no name', () => {
    const run = record({ context: { app: 'shop' } });
    const child = run.tracker.child({ context: { module: 'cart' } });
    child.enterContext('release', { build: 7 });
    child.context('release', { release: '2.0' }, () => {
      expect(child.resolveContext()).toStrictEqual({ app: 'shop', module: 'cart', release: '2.0' });
    });
    expect(child.resolveContext()).toStrictEqual({ app: 'shop', module: 'cart', build: 7 });
  });

  it('is back when the frame of the scope is left', () => {
    const { tracker, reports } = record();
    tracker.enterContext('release', { build: 7 });
    tracker.context('job', {}, () => {
      tracker.enterContext('release', { release: '2.0' });
      tracker.exitContext('release');
      expect(tracker.resolveContext()).toStrictEqual({ build: 7 });
      tracker.enterContext('release', { release: '3.0' });
      expect(tracker.resolveContext()).toStrictEqual({ release: '3.0' });
    });
    expect(reports).toStrictEqual([]);
  });
});

describe('leaving a frame of the base inside a scope', () => {
  it('says that it was entered outside any, and leaves it', () => {
    const { tracker, reports } = record();
    tracker.enterContext('release', { build: 7 });
    tracker.context('job', {}, () => {
      tracker.exitContext('release');
      expect(tracker.resolveContext()).toStrictEqual({ build: 7 });
      tracker.context('step', {}, () => {
        tracker.exitContext('release');
      });
    });
    expect(tracker.resolveContext()).toStrictEqual({ build: 7 });
    expect(reports).toMatchObject([
      { code: 'unknown_context', message: expect.stringMatching(OUTSIDE) },
      { code: 'unknown_context', message: expect.stringMatching(OUTSIDE) },
    ]);
    for (const { message } of reports) {
      expect(message).toMatch(/stays/);
      expect(message).not.toMatch(/no such context/);
    }
  });

  it('says it also after the frame of the scope was left, and not before', () => {
    const { tracker, reports } = record();
    tracker.enterContext('release', { build: 7 });
    tracker.context('release', { release: '2.0' }, () => {
      tracker.exitContext('release');
      expect(reports).toStrictEqual([]);
      tracker.exitContext('release');
      expect(reports).toMatchObject([{ code: 'unknown_context', message: expect.stringMatching(OUTSIDE) }]);
    });
  });

  it('throws in strict mode', () => {
    const { tracker } = record({ strict: true });
    tracker.enterContext('release', { build: 7 });
    tracker.context('job', {}, () => {
      expect(() => {
        tracker.exitContext('release');
      }).toThrow(
        expect.objectContaining({ code: 'unknown_context', message: expect.stringMatching(OUTSIDE) }),
      );
    });
  });

  it('is another thing than a name that nobody entered, here or in the base of another tracker', () => {
    const contextStore = new ContextStore();
    const [one, two] = [record({ contextStore }), record({ contextStore })];
    two.tracker.enterContext('release', { build: 7 });
    one.tracker.context('job', {}, () => {
      one.tracker.exitContext('release');
      one.tracker.exitContext('nobody');
    });
    expect(one.reports).toHaveLength(2);
    for (const { code, message } of one.reports) {
      expect(code).toBe('unknown_context');
      expect(message).not.toMatch(OUTSIDE);
    }
  });

  it('says nothing once it was left outside', () => {
    const { tracker, reports } = record();
    tracker.enterContext('release', { build: 7 });
    tracker.exitContext('release');
    expect(reports).toStrictEqual([]);
    tracker.context('job', {}, () => {
      tracker.exitContext('release');
    });
    expect(reports).toMatchObject([{ code: 'unknown_context' }]);
    expect(reports[0]?.message).not.toMatch(OUTSIDE);
  });
});
