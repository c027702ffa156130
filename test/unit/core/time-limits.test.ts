import { describe, expect, it } from '@jest/globals';
import type { Backend, TrackerOptions } from 'nestjs-tracking/core';
import type { Deferred, Recording } from '../../support/recording.js';
import { deferred, record } from '../../support/recording.js';

const LIMIT_MS = 1_000;

/** Work that ends when the test says so. */
function gated(): {
  readonly gates: Map<string, Deferred>;
  begin(event: { readonly name: string }): Promise<void>;
} {
  const gates = new Map<string, Deferred>();
  return {
    gates,
    begin: ({ name }) => {
      const gate = deferred();
      gates.set(name, gate);
      return gate.promise;
    },
  };
}

const limits = { sendTimeoutMs: LIMIT_MS, processorTimeoutMs: LIMIT_MS };

/** Where work has a time limit. */
const PLACES: readonly [string, (begin: ReturnType<typeof gated>['begin']) => Partial<TrackerOptions>][] = [
  ['a send', (begin) => ({ backends: { slow: { send: begin } } })],
  ['a processor', (begin) => ({ processors: [begin] })],
];

/** The events that timed out so far. */
const late = ({ reports }: Recording): unknown[] =>
  reports.filter(({ code }) => code === 'timeout').map(({ event }) => event?.name);

describe.each(PLACES)('the time limit of %s', (_what, options) => {
  it('is that of each event, however many hang', async () => {
    const { begin } = gated();
    const run = record({ ...options(begin), limits });
    for (const name of ['a', 'b', 'c', 'd']) {
      run.tracker.emit(name);
      await run.clock.advance(200);
    }
    // Emitted at 0, 200, 400 and 600; it is 800 now.
    await run.clock.advance(199);
    expect(late(run)).toStrictEqual([]);
    for (const expected of [['a'], ['a', 'b'], ['a', 'b', 'c'], ['a', 'b', 'c', 'd']]) {
      await run.clock.advance(1);
      expect(late(run)).toStrictEqual(expected);
      await run.clock.advance(199);
      expect(late(run)).toStrictEqual(expected);
    }
  });

  it('goes on for the others when one ends, the first or another', async () => {
    const { gates, begin } = gated();
    const run = record({ ...options(begin), limits });
    for (const name of ['a', 'b', 'c', 'd']) {
      run.tracker.emit(name);
      await run.clock.advance(100);
    }
    gates.get('a')?.resolve();
    gates.get('c')?.reject(new Error('down'));
    await run.clock.advance(LIMIT_MS - 301);
    expect(late(run)).toStrictEqual([]);
    await run.clock.advance(1);
    expect(late(run)).toStrictEqual(['b']);
    await run.clock.advance(199);
    expect(late(run)).toStrictEqual(['b']);
    await run.clock.advance(1);
    expect(late(run)).toStrictEqual(['b', 'd']);
  });

  it('begins anew once everything ended', async () => {
    const { gates, begin } = gated();
    const run = record({ ...options(begin), limits });
    for (let round = 1; round <= 3; round++) {
      run.tracker.emit(`ended ${round}`);
      await run.clock.advance(LIMIT_MS - 1);
      gates.get(`ended ${round}`)?.resolve();
      await run.clock.advance(0);
      run.tracker.emit(`late ${round}`);
      await run.clock.advance(LIMIT_MS - 1);
      expect(late(run)).toHaveLength(round - 1);
      await run.clock.advance(1);
      expect(late(run).at(-1)).toBe(`late ${round}`);
    }
  });

  it('leaves no timer behind: time may stand still, or go on for long', async () => {
    const { gates, begin } = gated();
    const run = record({ ...options(begin), limits });
    run.tracker.emit('a');
    gates.get('a')?.resolve();
    await run.clock.advance(100 * LIMIT_MS);
    expect(run.reports).toStrictEqual([]);
  });
});

describe('events that a backend answers together', () => {
  it('have their own limits, and each ends once', async () => {
    const answers = [deferred(), deferred()];
    let sent = 0;
    const batching: Backend = { send: () => answers[Math.floor(sent++ / 2)]!.promise };
    const run = record({ backends: { batching }, limits });
    const reports = [];
    for (const name of ['a', 'b', 'c', 'd']) {
      reports.push(run.tracker.emitAsync(name));
      await run.clock.advance(300);
    }
    // It is 1,200: `a` is late, `b` is not.
    expect(late(run)).toStrictEqual(['a']);
    answers[0]?.resolve();
    await run.clock.advance(99);
    expect(late(run)).toStrictEqual(['a']);
    await run.clock.advance(301);
    expect(late(run)).toStrictEqual(['a', 'c']);
    answers[1]?.reject(new Error('down'));
    const outcomes = (await Promise.all(reports)).map(
      ({ outcomes: { batching: own } }) => own?.reason ?? own?.status,
    );
    expect(outcomes).toStrictEqual(['timeout', 'accepted', 'timeout', 'failed']);
    expect(run.tracker.stats().backends['batching']).toMatchObject({
      accepted: 1,
      dropped: { timeout: 2, failed: 1 },
    });
  });
});
