import { describe, expect, it, jest } from '@jest/globals';
import type { TrackingEvent } from '../../../lib/core/event.js';
import { filter } from '../../../lib/core/processor.js';
import { deferred, record, through, untyped } from '../../support/recording.js';

describe('a processor that hangs', () => {
  const hang = (): Promise<never> => new Promise(() => undefined);

  it('lets the event through after its time, reported and counted', async () => {
    const run = record({
      processors: [hang],
      limits: { processorTimeoutMs: 1_000 },
    });
    const report = run.tracker.emitAsync('a');
    await run.clock.advance(999);
    expect(run.memory.events).toHaveLength(0);
    await run.clock.advance(1);
    expect(run.memory.events).toMatchObject([{ name: 'a' }]);
    await expect(report).resolves.toMatchObject({
      outcomes: { memory: { status: 'accepted' } },
    });
    expect(run.reports).toMatchObject([
      {
        code: 'timeout',
        path: '',
        message: expect.stringContaining('1000 ms'),
      },
    ]);
    expect(run.tracker.stats()).toMatchObject({
      processorErrors: 1,
      accepted: 1,
    });
  });

  it('waits 5 s unless told otherwise', async () => {
    const run = through(hang);
    run.tracker.emit('a');
    await run.clock.advance(4_999);
    expect(run.memory.events).toHaveLength(0);
    await run.clock.advance(1);
    expect(run.memory.events).toHaveLength(1);
  });

  it('drops the event when it is a filter', async () => {
    const run = through(filter(hang));
    const report = run.tracker.emitAsync('a');
    await run.clock.advance(5_000);
    await expect(report).resolves.toMatchObject({ dropped: 'timeout' });
    expect(run.memory.events).toHaveLength(0);
    expect(run.tracker.stats().dropped).toStrictEqual({ timeout: 1 });
  });

  it('and answers after all is not heard, and its rejection hurts nobody', async () => {
    const late = deferred<TrackingEvent>();
    const run = through(() => late.promise);
    run.tracker.emit('a');
    await run.clock.advance(5_000);
    late.reject(new Error('too late'));
    await run.clock.advance(0);
    expect(run.memory.events).toMatchObject([{ name: 'a' }]);
    expect(run.codes()).toStrictEqual(['timeout']);
  });

  it('holds up nobody else', async () => {
    let first = true;
    const run = through(() => {
      if (first) {
        first = false;
        return hang();
      }
      return undefined;
    });
    run.tracker.emit('stuck');
    run.tracker.emit('next');
    expect(run.memory.events).toMatchObject([{ name: 'next' }]);
    await run.clock.advance(5_000);
    expect(run.memory.events).toMatchObject([{ name: 'next' }, { name: 'stuck' }]);
  });

  it('bounds how many wait: more are dropped as overflow', async () => {
    const run = record({ processors: [hang], limits: { maxPending: 2 } });
    run.tracker.emit('a');
    run.tracker.emit('b');
    expect(run.codes()).toStrictEqual([]);
    run.tracker.emit('c');
    expect(run.codes()).toStrictEqual(['overflow']);
    await run.clock.advance(5_000);
    expect(run.memory.events.map(({ name }) => name)).toStrictEqual(['a', 'b']);
    expect(run.codes()).toStrictEqual(['overflow', 'timeout', 'timeout']);
    expect(run.tracker.stats().dropped).toStrictEqual({ overflow: 1 });
    run.tracker.emit('d');
    await run.clock.advance(5_000);
    expect(run.last().name).toBe('d');
  });

  it('lets emitAsync wait for room', async () => {
    const gate = deferred();
    const asked: string[] = [];
    const run = record({
      processors: [
        ({ name }) => {
          asked.push(name);
          return gate.promise;
        },
      ],
      limits: { maxPending: 1 },
    });
    run.tracker.emit('a');
    const report = run.tracker.emitAsync('b');
    await run.clock.advance(1_000);
    // It was asynchronous before: it is not asked what nobody has room to wait for.
    expect(asked).toStrictEqual(['a']);
    gate.resolve();
    await expect(report).resolves.toMatchObject({
      outcomes: { memory: { status: 'accepted' } },
    });
    expect(asked).toStrictEqual(['a', 'b']);
    expect(run.codes()).toStrictEqual([]);
  });

  it('drops what comes by emit when there is no room, without asking', () => {
    const processor = jest.fn(hang);
    const run = record({ processors: [processor], limits: { maxPending: 1 } });
    run.tracker.emit('a');
    run.tracker.emit('b');
    expect(processor).toHaveBeenCalledTimes(1);
    expect(run.codes()).toStrictEqual(['overflow']);
  });

  it('may reject while its event waits for room, if nobody knew that it is asynchronous', async () => {
    const [first, second] = [deferred(), deferred()];
    const run = record({ processors: [() => first.promise], limits: { maxPending: 1 } });
    run.tracker.emit('a');
    const report = run.tracker.child({ processors: [() => second.promise] }).emitAsync('b');
    await run.clock.advance(1_000);
    second.reject(new Error('while it waited for room'));
    await run.clock.advance(1_000);
    expect(run.reports).toStrictEqual([]);
    first.resolve();
    await expect(report).resolves.toMatchObject({
      outcomes: { memory: { status: 'accepted' } },
    });
    expect(run.codes()).toStrictEqual(['processor_failed']);
  });

  it('lets emitAsync wait no longer than blockTimeoutMs', async () => {
    const run = record({
      processors: [hang],
      limits: { maxPending: 1, blockTimeoutMs: 500 },
    });
    run.tracker.emit('a');
    const report = run.tracker.emitAsync('b');
    await run.clock.advance(499);
    expect(run.codes()).toStrictEqual([]);
    await run.clock.advance(1);
    await expect(report).resolves.toMatchObject({
      dropped: 'overflow',
      outcomes: {},
    });
  });

  it('in overflow, a then that throws hurts nobody', async () => {
    const answers: unknown[] = [
      hang(),
      {
        then: () => {
          throw new Error('no');
        },
      },
    ];
    const run = record({
      processors: [() => untyped(answers.shift())],
      limits: { maxPending: 1 },
    });
    run.tracker.emit('a');
    run.tracker.emit('b');
    await run.clock.advance(5_000);
    expect(run.codes()).toStrictEqual(['overflow', 'timeout']);
  });
});
