import { describe, expect, it } from '@jest/globals';
import { consent } from '../../../lib/processors/consent.js';
import { record, untyped } from '../../support/recording.js';
import { thrownBy } from './events.js';

describe('consent', () => {
  it('asks with the event', () => {
    const { tracker, memory } = record({
      processors: [consent(({ context }) => context['consent'] === 'all')],
    });
    tracker.emit('yes', {}, { context: { consent: 'all' } });
    tracker.emit('no', {}, { context: { consent: 'essential' } });
    tracker.emit('unasked');
    expect(memory.events.map(({ name }) => name)).toStrictEqual(['yes']);
    expect(tracker.stats().dropped).toStrictEqual({ consent: 2 });
  });

  it.each([false, undefined, null, 1, 'yes', {}])('takes %j for a no, now and later', async (answer) => {
    const { tracker, memory, reports } = record({
      processors: [consent(({ name }) => untyped(name === 'now' ? answer : Promise.resolve(answer)))],
    });
    expect((await tracker.emitAsync('now')).dropped).toBe('consent');
    expect((await tracker.emitAsync('later')).dropped).toBe('consent');
    expect(memory.events).toStrictEqual([]);
    expect(reports).toStrictEqual([]);
  });

  it('waits for the answer', async () => {
    const { tracker, memory } = record({
      processors: [consent(() => Promise.resolve(true))],
    });
    await tracker.emitAsync('e');
    expect(memory.events).toHaveLength(1);
  });

  it.each<[string, () => never | Promise<boolean>]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ])('fails closed when the question %s', async (_, question) => {
    const { tracker, memory, codes } = record({
      processors: [consent(question)],
    });
    await tracker.emitAsync('e');
    expect(memory.events).toStrictEqual([]);
    expect(codes()).toStrictEqual(['processor_failed']);
    expect(tracker.stats().dropped).toStrictEqual({ filter_failed: 1 });
  });

  it('fails closed when the question takes too long', async () => {
    const { tracker, memory, clock } = record({
      processors: [consent(() => new Promise(() => undefined))],
    });
    const sent = tracker.emitAsync('e');
    await clock.advance(5_000);
    expect((await sent).dropped).toBe('timeout');
    expect(memory.events).toStrictEqual([]);
  });

  it.each([undefined, true, {}])('refuses %j', (question) => {
    expect(thrownBy(() => consent(untyped(question)))).toContain('expected hasConsent to be a function');
  });
});
