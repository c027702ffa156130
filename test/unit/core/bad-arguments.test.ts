import { describe, expect, it } from '@jest/globals';
import { hostile, revoked, throwing } from '../../support/hostile.js';
import type { AnyTracker, Recording } from '../../support/recording.js';
import { record, untyped } from '../../support/recording.js';

describe('a name that is none', () => {
  const names: [string, unknown][] = [
    ['an empty text', ''],
    ['undefined', undefined],
    ['null', null],
    ['a number', 7],
    ['a symbol', Symbol('name')],
    ['a BigInt', 7n],
    ['a throwing object', { toString: throwing, toJSON: throwing, [Symbol.toPrimitive]: throwing }],
    ['a revoked proxy', revoked()],
    ['a function', throwing],
  ];

  it.each(names)('becomes unknown: %s', (_, name) => {
    const { tracker, last, codes } = record();
    tracker.emit(untyped<string>(name), { ok: 1 });
    expect(last()).toMatchObject({ name: 'unknown', data: { ok: 1 } });
    expect(codes()).toStrictEqual(['invalid_name']);
  });

  it.each(names)('does not hurt after close: %s', async (_, name) => {
    const { tracker, codes } = record();
    await tracker.close();
    tracker.emit(untyped<string>(name));
    expect(codes()).toStrictEqual(['closed']);
    expect(tracker.stats().dropped).toStrictEqual({ closed: 1 });
  });

  it.each(names)('does not hurt as the name of a context: %s', (_, name) => {
    const { tracker, last } = record();
    tracker.context(untyped(name), { a: 1 }, () => {
      tracker.enterContext(untyped(name), { b: 1 });
      tracker.emit('inside');
      tracker.exitContext(untyped(name));
      tracker.exitContext(untyped(name));
    });
    expect(last().context).toStrictEqual({ b: 1 });
  });

  it('may be long, up to the size of an event', () => {
    const { tracker, last, codes } = record();
    tracker.emit('n'.repeat(500_000));
    expect(last().name).toHaveLength(500_000);
    tracker.emit('n'.repeat(10_000_000));
    expect(last().name).toHaveLength(500_000);
    expect(codes()).toStrictEqual(['too_large']);
  });

  it('keeps messages short, however long it is', () => {
    const { tracker, reports } = record({
      backends: { bad: { send: throwing } },
      processors: [throwing],
    });
    tracker.emit('n'.repeat(100_000), { a: 1n });
    expect(reports.map(({ code }) => code)).toStrictEqual([
      'payload_changed',
      'processor_failed',
      'backend_failed',
    ]);
    for (const { message } of reports) {
      expect(message.length).toBeLessThan(500);
    }
  });
});

describe('options that are none', () => {
  it.each<[string, unknown]>([
    ['null', null],
    ['a number', 5],
    ['a text', 'options'],
    ['an array', []],
    ['a function', throwing],
    ['a symbol', Symbol('o')],
  ])('leave the event as it is: %s', async (_, options) => {
    const { tracker, memory } = record();
    tracker.emit('a', { ok: 1 }, untyped(options));
    await tracker.emitAsync('b', { ok: 1 }, untyped(options));
    expect(memory.events).toMatchObject([
      { name: 'a', data: { ok: 1 } },
      { name: 'b', data: { ok: 1 } },
    ]);
  });

  it.each<[string, () => unknown]>([
    ['a throwing proxy', hostile],
    ['a revoked proxy', revoked],
    [
      'throwing getters',
      () => ({
        get id() {
          return throwing();
        },
      }),
    ],
  ])('never throw: %s', (_, make) => {
    const { tracker, memory, codes } = record();
    tracker.emit('bad', { ok: 1 }, untyped(make()));
    tracker.emit('after', { ok: 2 });
    expect(memory.events.at(-1)).toMatchObject({
      name: 'after',
      data: { ok: 2 },
    });
    expect(codes()).toHaveLength(1);
  });

  it('report a null context and go on without it', () => {
    const { tracker, last, codes } = record({ context: { a: 1 } });
    tracker.emit('a', { ok: 1 }, { context: untyped(null) });
    expect(last()).toMatchObject({ data: { ok: 1 }, context: { a: 1 } });
    expect(codes()).toStrictEqual(['context_changed']);
  });
});

describe('whatever comes', () => {
  it('emit answers undefined and emitAsync resolves', async () => {
    const calls: ((tracker: AnyTracker) => unknown)[] = [
      (tracker) => (tracker as unknown as { emit: () => unknown }).emit(),
      (tracker) => {
        tracker.emit('a', untyped(hostile()), untyped(hostile()));
      },
      (tracker) => {
        tracker.emit(untyped<string>(hostile()), untyped(revoked()), untyped({ context: hostile() }));
      },
    ];
    const { tracker }: Recording = record();
    for (const call of calls) {
      expect(call(tracker)).toBeUndefined();
    }
    await expect(tracker.emitAsync(untyped<string>(null), untyped(revoked()))).resolves.toHaveProperty(
      'outcomes',
    );
  });

  it('a bad event is still an event for emitAsync', async () => {
    const { tracker } = record();
    await expect(tracker.emitAsync('a', { n: 1n })).resolves.toMatchObject({
      event: { name: 'a', data: { n: '1' } },
      outcomes: { memory: { status: 'accepted' } },
    });
    await expect(tracker.emitAsync('a', { text: 'x'.repeat(2_000_000) })).resolves.toStrictEqual({
      dropped: 'too_large',
      outcomes: {},
    });
  });
});
