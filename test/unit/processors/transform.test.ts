import { describe, expect, it } from '@jest/globals';
import { errorMessage } from '../../../lib/core/describe.js';
import { drop } from '../../../lib/core/processor.js';
import type { Transformer } from '../../../lib/processors/transform.js';
import { createTransformerRegistry, transform } from '../../../lib/processors/transform.js';
import { record, untyped } from '../../support/recording.js';
import { answerOf, expectFilter, problemsOf, sealedEvent } from './events.js';

const titled =
  (title: string): Transformer =>
  (event) => ({ ...event, data: { title } });

describe('a transformer registry', () => {
  it('finds by exact name, list, glob and RegExp', () => {
    const [a, b, c] = [titled('a'), titled('b'), titled('c')];
    const registry = createTransformerRegistry()
      .register(['order.created', 'order.paid'], a)
      .register('user.*', b)
      .register(/^debug/g, c);
    expect(registry.find('order.paid')).toBe(a);
    expect(registry.find('user.created')).toBe(b);
    expect(registry.find('debug.x')).toBe(c);
    expect(registry.find('debug.x')).toBe(c);
    expect(registry.find('order.refunded')).toBeUndefined();
    expect(registry.find('constructor')).toBeUndefined();
  });

  it('prefers exact names, then what came last', () => {
    const [a, b, c, d] = [titled('a'), titled('b'), titled('c'), titled('d')];
    const registry = createTransformerRegistry()
      .register('order.created', a)
      .register('order.created', b)
      .register('order.*', c)
      .register('*', d);
    expect(registry.find('order.created')).toBe(b);
    expect(registry.find('order.paid')).toBe(d);
  });

  it('names everything that is wrong at once', () => {
    const registry = createTransformerRegistry();
    expect(problemsOf(() => registry.register(untyped(['', 7]), untyped('x')))).toStrictEqual([
      'the arguments of register() are wrong:',
      'expected names[0] to be a name, a glob or a RegExp, got ""',
      'expected names[1] to be a name, a glob or a RegExp, got 7',
      'expected transformer to be a function, got "x"',
    ]);
  });
});

describe('transform', () => {
  it('makes one event of one, or several', () => {
    const registry = createTransformerRegistry()
      .register('one', titled('t'))
      .register('many', (event) => [1, 2, 3].map((n) => ({ ...event, name: `many.${n}` })))
      .register('none', () => [])
      .register('dropped', () => drop('not_today'));
    const { tracker, memory } = record({ processors: [transform(registry)] });
    for (const name of ['one', 'many', 'none', 'dropped']) {
      tracker.emit(name);
    }
    expect(memory.events.map(({ name }) => name)).toStrictEqual(['one', 'many.1', 'many.2', 'many.3']);
    expect(new Set(memory.events.map(({ id }) => id)).size).toBe(4);
    expect(tracker.stats().dropped).toStrictEqual({
      filtered: 1,
      not_today: 1,
    });
  });

  it('waits for an asynchronous transformer', async () => {
    const registry = createTransformerRegistry().register('*', async (event) => {
      await Promise.resolve();
      return { ...event, name: 'done' };
    });
    const { tracker, last } = record({ processors: [transform(registry)] });
    await tracker.emitAsync('e');
    expect(last().name).toBe('done');
  });

  it('drops what has no transformer, and sees one registered later', () => {
    const registry = createTransformerRegistry();
    const processor = transform(registry);
    expectFilter(processor, 'transform');
    expect(answerOf(processor, sealedEvent())).toBe('dropped: no_transformer');
    registry.register('order.created', () => []);
    expect(answerOf(processor, sealedEvent())).toStrictEqual([]);
  });

  it.each<[string, Transformer]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
    ['returns nonsense', untyped(() => 7)],
  ])('fails closed when a transformer %s', async (_, transformer) => {
    const registry = createTransformerRegistry().register('*', transformer);
    const { tracker, memory, codes } = record({
      processors: [transform(registry)],
    });
    const { dropped } = await tracker.emitAsync('e');
    expect(dropped).toBe('filter_failed');
    expect(memory.events).toStrictEqual([]);
    expect(codes()).toStrictEqual(['processor_failed']);
  });

  it.each([undefined, null])('fails closed when a transformer returns %p, now or later', async (result) => {
    const registry = createTransformerRegistry()
      .register(
        'now',
        untyped(() => result),
      )
      .register(
        'later',
        untyped(() => Promise.resolve(result)),
      );
    const { tracker, memory, reports } = record({ processors: [transform(registry)] });
    expect((await tracker.emitAsync('now')).dropped).toBe('filter_failed');
    expect((await tracker.emitAsync('later')).dropped).toBe('filter_failed');
    expect(memory.events).toStrictEqual([]);
    expect(reports.map(({ error }) => errorMessage(error))).toStrictEqual(
      Array(2).fill(
        `expected the transformer to return an event, an array of events or drop(reason), got ${result}`,
      ),
    );
  });

  it.each<[unknown, string]>([
    [undefined, 'expected registry to be a transformer registry, got undefined'],
    [null, 'expected registry to be a transformer registry, got null'],
    [{}, 'expected registry.find to be a function, got undefined'],
    [() => undefined, 'expected registry to be a transformer registry, got function'],
  ])('refuses %p', (registry, problem) => {
    expect(problemsOf(() => transform(untyped(registry)))).toStrictEqual([
      'the arguments of transform() are wrong:',
      problem,
    ]);
  });
});
