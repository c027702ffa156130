import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Backend } from '../../../lib/core/backend.js';
import { eventBytes } from '../../../lib/core/event.js';
import type { BackendStats } from '../../../lib/core/stats.js';
import { memoryBackend } from '../../../lib/testing/memory-backend.js';
import type { Deferred } from '../../support/recording.js';
import { deferred, record } from '../../support/recording.js';

interface Gated extends Backend {
  readonly sent: string[];
  readonly gates: Deferred[];
}

/** A backend whose every `send` waits for the test. */
function gated(): Gated {
  const sent: string[] = [];
  const gates: Deferred[] = [];
  return {
    sent,
    gates,
    send: (event) => {
      sent.push(event.name);
      const gate = deferred();
      gates.push(gate);
      return gate.promise;
    },
  };
}

const EMPTY: BackendStats = {
  accepted: 0,
  delivered: 0,
  retried: 0,
  dead: 0,
  depth: 0,
  dropped: {},
  state: 'ok',
};
const accepted = { outcomes: { slow: { status: 'accepted' } } };
const overflowed = {
  outcomes: { slow: { status: 'dropped', reason: 'overflow' } },
};

describe('a backend that hangs', () => {
  it('loses the event after its time, reported and counted, and hurts nobody else', async () => {
    const memory = memoryBackend();
    const run = record({
      backends: { slow: gated(), memory },
      limits: { sendTimeoutMs: 2_000 },
    });
    const report = run.tracker.emitAsync('x');
    expect(memory.events).toHaveLength(1);
    await run.clock.advance(1_999);
    expect(run.reports).toStrictEqual([]);
    await run.clock.advance(1);
    await expect(report).resolves.toMatchObject({
      outcomes: {
        slow: { status: 'failed', reason: 'timeout' },
        memory: { status: 'accepted' },
      },
    });
    expect(run.reports).toMatchObject([
      {
        code: 'timeout',
        path: 'slow',
        message: expect.stringContaining('2000 ms'),
        event: { name: 'x' },
      },
    ]);
    expect(run.tracker.stats().backends['slow']).toMatchObject({
      accepted: 0,
      dropped: { timeout: 1 },
      lastError: 'send took longer than 2000 ms',
    });
  });

  it('has 30 s unless told otherwise', async () => {
    const run = record({ backends: { slow: gated() } });
    run.tracker.emit('x');
    await run.clock.advance(29_999);
    expect(run.codes()).toStrictEqual([]);
    await run.clock.advance(1);
    expect(run.codes()).toStrictEqual(['timeout']);
  });

  it('gives each event its full time', async () => {
    const slow = gated();
    const run = record({
      backends: { slow },
      limits: { sendTimeoutMs: 1_000 },
    });
    run.tracker.emit('a');
    await run.clock.advance(600);
    run.tracker.emit('b');
    slow.gates[0]?.resolve();
    await run.clock.advance(999);
    expect(run.codes()).toStrictEqual([]);
    await run.clock.advance(1);
    expect(run.codes()).toStrictEqual(['timeout']);
    run.tracker.emit('c');
    await run.clock.advance(1_000);
    expect(run.codes()).toStrictEqual(['timeout', 'timeout']);
  });

  it.each(['resolve', 'reject'] as const)('and settles after all (%s) changes nothing', async (how) => {
    const slow = gated();
    const run = record({ backends: { slow } });
    run.tracker.emit('x');
    await run.clock.advance(30_000);
    const before = run.tracker.stats();
    slow.gates[0]?.[how]();
    await run.clock.advance(0);
    expect(run.tracker.stats()).toStrictEqual(before);
    expect(run.codes()).toStrictEqual(['timeout']);
  });
});

describe('too much under way', () => {
  it('drops what comes by emit: by number', async () => {
    const slow = gated();
    const run = record({ backends: { slow }, limits: { maxPending: 2 } });
    for (const name of ['a', 'b', 'c', 'd']) {
      run.tracker.emit(name);
    }
    expect(slow.sent).toStrictEqual(['a', 'b']);
    expect(run.reports).toMatchObject([
      { code: 'overflow', path: 'slow', event: { name: 'c' } },
      { code: 'overflow', path: 'slow', event: { name: 'd' } },
    ]);
    slow.gates[0]?.resolve();
    await run.clock.advance(0);
    run.tracker.emit('e');
    expect(slow.sent).toStrictEqual(['a', 'b', 'e']);
    expect(run.tracker.stats().backends['slow']).toMatchObject({
      accepted: 1,
      dropped: { overflow: 2 },
    });
  });

  it('drops what comes by emit: by bytes, but never what is alone', () => {
    const memory = memoryBackend();
    const slow = gated();
    const run = record({
      backends: { memory, slow },
      limits: { pendingBytes: 1_000 },
    });
    const small = { text: 'x'.repeat(300) };
    run.tracker.emit('a', small, { id: 'x' });
    run.tracker.emit('b', small, { id: 'x' });
    run.tracker.emit('c', small, { id: 'x' });
    expect(eventBytes(memory.events[0] as never)).toBeGreaterThan(334);
    expect(slow.sent).toStrictEqual(['a', 'b']);
    const alone = gated();
    const other = record({ backends: { alone }, limits: { pendingBytes: 1 } });
    other.tracker.emit('huge', { text: 'x'.repeat(10_000) });
    other.tracker.emit('next');
    expect(alone.sent).toStrictEqual(['huge']);
  });

  it('hurts no other backend', () => {
    const memory = memoryBackend();
    const run = record({
      backends: { slow: gated(), memory },
      limits: { maxPending: 1 },
    });
    run.tracker.emit('a');
    run.tracker.emit('b');
    expect(memory.events).toHaveLength(2);
  });

  it('lets emitAsync wait for room, in order', async () => {
    const slow = gated();
    const run = record({ backends: { slow }, limits: { maxPending: 1 } });
    const reports = ['a', 'b', 'c'].map((name) => run.tracker.emitAsync(name));
    await run.clock.advance(100);
    expect(slow.sent).toStrictEqual(['a']);
    slow.gates[0]?.resolve();
    await run.clock.advance(0);
    expect(slow.sent).toStrictEqual(['a', 'b']);
    slow.gates[1]?.resolve();
    await run.clock.advance(0);
    slow.gates[2]?.resolve();
    for (const report of await Promise.all(reports)) {
      expect(report).toMatchObject(accepted);
    }
    expect(run.reports).toStrictEqual([]);
  });

  it('lets emitAsync wait no longer than blockTimeoutMs, however many wait', async () => {
    const slow = gated();
    const run = record({
      backends: { slow },
      limits: { maxPending: 1, blockTimeoutMs: 5_000, sendTimeoutMs: 100_000 },
    });
    const reports = Array.from({ length: 5 }, (_, i) => run.tracker.emitAsync(`e${i}`));
    // One place becomes free shortly before the time is up: one more gets in, nobody starts waiting anew.
    await run.clock.advance(4_900);
    slow.gates[0]?.resolve();
    await run.clock.advance(100);
    slow.gates[1]?.resolve();
    await run.clock.advance(0);
    const outcomes = await Promise.all(reports);
    expect(outcomes.slice(0, 2)).toMatchObject([accepted, accepted]);
    expect(outcomes.slice(2)).toMatchObject([overflowed, overflowed, overflowed]);
    expect(slow.sent).toStrictEqual(['e0', 'e1']);
    expect(run.codes()).toStrictEqual(['overflow', 'overflow', 'overflow']);
  });

  it('gives room back when a send fails, throws or times out', async () => {
    const slow = gated();
    let throws = false;
    const run = record({
      backends: {
        slow: {
          send: (event) => {
            if (throws) {
              throw new Error('now');
            }
            return slow.send(event);
          },
        },
      },
      limits: { maxPending: 1, sendTimeoutMs: 1_000 },
    });
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => run.tracker.emitAsync(name));
    slow.gates[0]?.reject(new Error('a'));
    await expect(a).resolves.toMatchObject({
      outcomes: { slow: { status: 'failed' } },
    });
    expect(slow.sent).toStrictEqual(['a', 'b']);
    await run.clock.advance(1_000);
    await expect(b).resolves.toMatchObject({
      outcomes: { slow: { reason: 'timeout' } },
    });
    expect(slow.sent).toStrictEqual(['a', 'b', 'c']);
    throws = true;
    slow.gates[2]?.resolve();
    await expect(c).resolves.toMatchObject(accepted);
    await expect(d).resolves.toMatchObject({
      outcomes: { slow: { status: 'failed', error: { message: 'now' } } },
    });
    throws = false;
    run.tracker.emit('e');
    expect(slow.sent).toStrictEqual(['a', 'b', 'c', 'e']);
  });

  it('lets a small event in when a large one before it gave up', async () => {
    const slow = gated();
    const run = record({
      backends: { slow },
      limits: { pendingBytes: 1_000, blockTimeoutMs: 1_000 },
    });
    run.tracker.emit('first', { text: 'x'.repeat(300) });
    run.tracker.emit('second', { text: 'x'.repeat(300) });
    const large = run.tracker.emitAsync('large', { text: 'x'.repeat(800) });
    await run.clock.advance(500);
    const small = run.tracker.emitAsync('small', { text: 'x'.repeat(100) });
    await run.clock.advance(400);
    slow.gates[1]?.resolve();
    await run.clock.advance(99);
    expect(slow.sent).toStrictEqual(['first', 'second']);
    await run.clock.advance(1);
    await expect(large).resolves.toMatchObject(overflowed);
    expect(slow.sent).toStrictEqual(['first', 'second', 'small']);
    slow.gates[2]?.resolve();
    await expect(small).resolves.toMatchObject(accepted);
  });

  it('lets as many bytes wait for room as may be under way, behind the next, however large that is', async () => {
    const slow = gated();
    const run = record({
      backends: { slow },
      limits: { pendingBytes: 1_000, blockTimeoutMs: 1_000 },
    });
    run.tracker.emit('first', { text: 'x'.repeat(800) });
    const large = run.tracker.emitAsync('large', { text: 'x'.repeat(5_000) });
    const text = 'x'.repeat(250);
    const [one, two] = [run.tracker.emitAsync('one', { text }), run.tracker.emitAsync('two', { text })];
    // Two of them are no more than the bound, a third would be.
    await expect(run.tracker.emitAsync('three', { text })).resolves.toMatchObject(overflowed);
    expect(run.codes()).toStrictEqual(['overflow']);
    slow.gates[0]?.resolve();
    await run.clock.advance(0);
    expect(slow.sent).toStrictEqual(['first', 'large']);
    slow.gates[1]?.resolve();
    await expect(large).resolves.toMatchObject(accepted);
    expect(slow.sent).toStrictEqual(['first', 'large', 'one', 'two']);
    slow.gates[2]?.resolve();
    slow.gates[3]?.resolve();
    await expect(Promise.all([one, two])).resolves.toMatchObject([accepted, accepted]);
  });

  it('lets 10,000 events wait for room, and no more', async () => {
    const slow = gated();
    const run = record({ backends: { slow }, limits: { maxPending: 1, blockTimeoutMs: 1_000 } });
    run.tracker.emit('first');
    const waiting = Array.from({ length: 10_000 }, () => run.tracker.emitAsync('waits'));
    expect(run.codes()).toStrictEqual([]);
    await expect(run.tracker.emitAsync('one more')).resolves.toMatchObject(overflowed);
    await run.clock.advance(1_000);
    await Promise.all(waiting);
    expect(run.tracker.stats().backends['slow']?.dropped).toStrictEqual({ overflow: 10_001 });
  });

  it('never has more under way than allowed, and loses nothing uncounted', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('emit', 'emitAsync', 'resolve', 'reject', 'wait'), { maxLength: 60 }),
        fc.integer({ min: 1, max: 4 }),
        async (steps, maxPending) => {
          const slow = gated();
          const run = record({
            backends: { slow },
            limits: { maxPending, sendTimeoutMs: 700, blockTimeoutMs: 500 },
          });
          const reports: Promise<unknown>[] = [];
          let settled = 0;
          let emitted = 0;
          for (const step of steps) {
            if (step === 'emit') {
              run.tracker.emit('x');
              emitted++;
            } else if (step === 'emitAsync') {
              reports.push(run.tracker.emitAsync('x'));
              emitted++;
            } else if (step === 'wait') {
              await run.clock.advance(200);
            } else {
              slow.gates[settled++]?.[step]();
              await run.clock.advance(0);
            }
            const { accepted: taken, dropped } = run.tracker.stats().backends['slow'] ?? EMPTY;
            const lost = (dropped['timeout'] ?? 0) + (dropped['failed'] ?? 0);
            expect(slow.sent.length - taken - lost).toBeLessThanOrEqual(maxPending);
          }
          await run.clock.advance(10_000);
          await Promise.all(reports);
          await expect(run.tracker.flush()).resolves.toStrictEqual({
            settled: true,
            pending: 0,
          });
          const {
            accepted: taken,
            delivered,
            depth,
            dead,
            dropped,
          } = run.tracker.stats().backends['slow'] ?? EMPTY;
          expect(taken).toBe(delivered + depth + dead);
          expect(taken + Object.values(dropped).reduce((sum, count) => sum + count, 0)).toBe(emitted);
          expect(run.codes()).toHaveLength(emitted - taken);
        },
      ),
      { numRuns: 60 },
    );
  });
});
