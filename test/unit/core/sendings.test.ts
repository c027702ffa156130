import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from '@jest/globals';
import type { Backend, TrackingReport } from 'nestjs-tracking/core';
import { createTracker } from 'nestjs-tracking/core';
import { fakeClock } from 'nestjs-tracking/testing';

/** A backend that answers all its sends with one promise until that is settled by hand. */
function storesTogether() {
  let ends: [() => void, (error: Error) => void] | undefined;
  let answer: Promise<void> | undefined;
  const backend: Backend = {
    send: () =>
      (answer ??= new Promise((...both) => {
        ends = both;
      })),
  };
  return {
    backend,
    end(error?: Error): void {
      if (error === undefined) {
        ends?.[0]();
      } else {
        ends?.[1](error);
      }
      answer = undefined;
    },
  };
}

describe('events that are answered with one promise', () => {
  it('are all accepted when it resolves', async () => {
    const { backend, end } = storesTogether();
    const tracker = createTracker({ backends: { disk: backend } });
    const reports = [tracker.emitAsync('a'), tracker.emitAsync('b')];
    tracker.emit('c');
    expect(tracker.stats().backends['disk']?.accepted).toBe(0);
    end();
    for (const { event, outcomes } of await Promise.all(reports)) {
      expect(event).toBeDefined();
      expect(outcomes).toEqual({ disk: { status: 'accepted' } });
    }
    expect(tracker.stats().backends['disk']?.accepted).toBe(3);
  });

  it('are all dropped when it rejects, each reported once', async () => {
    const { backend, end } = storesTogether();
    const told: TrackingReport[] = [];
    const tracker = createTracker({
      backends: { disk: backend },
      onError: (report) => told.push(report),
    });
    const reports = [tracker.emitAsync('a'), tracker.emitAsync('b')];
    const error = new Error('full');
    end(error);
    for (const { outcomes } of await Promise.all(reports)) {
      expect(outcomes).toEqual({
        disk: { status: 'failed', reason: 'failed', error },
      });
    }
    expect(told.map(({ event }) => event?.name)).toEqual(['a', 'b']);
    expect(tracker.stats().backends['disk']?.dropped).toEqual({ failed: 2 });
  });

  it('are told in the async context of none of them', async () => {
    const { backend, end } = storesTogether();
    const who = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const tracker = createTracker({
      backends: { disk: backend },
      onError: () => seen.push(who.getStore()),
    });
    const reports = ['ada', 'bob'].map((name) => who.run(name, () => tracker.emitAsync('a')));
    end(new Error('full'));
    await Promise.all(reports);
    expect(seen).toEqual([undefined, undefined]);
  });

  it('run out of time each by itself, whatever comes of the promise', async () => {
    const clock = fakeClock();
    const { backend, end } = storesTogether();
    const tracker = createTracker({
      ...{ backends: { disk: backend }, clock, onError: () => undefined },
      limits: { sendTimeoutMs: 100 },
    });
    const early = tracker.emitAsync('early');
    await clock.advance(60);
    const late = tracker.emitAsync('late');
    await clock.advance(60);
    expect((await early).outcomes).toEqual({
      disk: { status: 'failed', reason: 'timeout' },
    });
    end();
    expect((await late).outcomes).toEqual({ disk: { status: 'accepted' } });
    expect(tracker.stats().backends['disk']).toMatchObject({
      accepted: 1,
      dropped: { timeout: 1 },
    });
  });

  it('may get a promise that was settled long ago', async () => {
    const settled = Promise.resolve();
    const tracker = createTracker({
      backends: { disk: { send: () => settled } },
    });
    for (let i = 0; i < 3; i++) {
      const { outcomes } = await tracker.emitAsync('a');
      expect(outcomes).toEqual({ disk: { status: 'accepted' } });
    }
  });

  it('are waited for by flush and close', async () => {
    const clock = fakeClock();
    const { backend, end } = storesTogether();
    const tracker = createTracker({ backends: { disk: backend }, clock });
    tracker.emit('a');
    tracker.emit('b');
    const flushed = tracker.flush({ timeoutMs: 100 });
    await clock.advance(100);
    expect(await flushed).toEqual({
      settled: false,
      pending: 2,
    });
    const closed = tracker.close();
    end();
    expect(await closed).toEqual({ settled: true, pending: 0 });
  });

  it('settle for whoever emitted them only when the last backend has', async () => {
    const one = storesTogether();
    const two = storesTogether();
    const tracker = createTracker({
      processors: [(event) => [event, { ...event, name: `${event.name} again` }]],
      backends: { one: one.backend, two: two.backend },
    });
    let settled = false;
    const report = tracker.emitAsync('a').finally(() => {
      settled = true;
    });
    one.end();
    await new Promise(setImmediate);
    expect(settled).toBe(false);
    two.end();
    expect((await report).outcomes).toEqual({
      one: { status: 'accepted' },
      two: { status: 'accepted' },
    });
    expect(tracker.stats().backends['two']?.accepted).toBe(2);
  });
});
