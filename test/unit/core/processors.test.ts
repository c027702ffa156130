import { describe, expect, it, jest } from '@jest/globals';
import { nameUuid } from '../../../lib/core/ids.js';
import type { TrackingEvent } from '../../../lib/core/event.js';
import { eventJson } from '../../../lib/core/event.js';
import { drop, filter } from '../../../lib/core/processor.js';
import { revoked } from '../../support/hostile.js';
import type { Recording } from '../../support/recording.js';
import { deferred, record, through, untyped } from '../../support/recording.js';

const later = <T>(value: T): Promise<T> => Promise.resolve(value);

/** What a processor may answer that is neither event, list, drop nor nothing. */
const NONSENSE: readonly [string, () => unknown][] = [
  ['null', () => null],
  ['a number', () => 7],
  ['a text', () => 'event'],
  ['true', () => true],
  ['a symbol', () => Symbol('x')],
  ['a function', () => () => undefined],
  ['an object without any field of an event', () => ({ foo: 1 })],
  ['a list with nonsense in it', () => [{ name: 'a' }, 7]],
  ['a list with a hole in it', () => new Array<unknown>(3)],
  ['a list of lists', () => [[{ name: 'a' }]]],
  ['a revoked proxy', revoked],
  [
    'an object whose fields throw',
    () => ({
      get name(): string {
        throw new Error('no');
      },
    }),
  ],
  [
    'a then that throws',
    () => ({
      get then(): never {
        throw new Error('no');
      },
    }),
  ],
  [
    'a then that throws when called',
    () => ({
      then: () => {
        throw new Error('no');
      },
    }),
  ],
];

describe.each([
  ['at once', (answer: () => unknown) => answer],
  ['later', (answer: () => unknown) => async () => later(answer())],
])('a processor that answers %s', (when, making) => {
  const emit = async ({ tracker }: Recording, data: object = { n: 1 }): Promise<unknown> => {
    const report = await tracker.emitAsync('a', data);
    await tracker.flush();
    return report;
  };

  it('nothing leaves the event as it is', async () => {
    const run = through(making(() => undefined));
    await emit(run);
    expect(run.last()).toMatchObject({ name: 'a', data: { n: 1 } });
    expect(run.reports).toStrictEqual([]);
  });

  it('the event itself leaves it as it is', async () => {
    let seen: unknown;
    const run = through((event: TrackingEvent) => making(() => (seen = event))());
    await emit(run);
    expect(run.last()).toBe(seen);
  });

  it('another event replaces it, keeping what is left out', async () => {
    const run = record({
      context: { c: 1 },
      processors: [untyped(making(() => ({ name: 'b', data: { m: 2n } })))],
    });
    await emit(run);
    expect(run.last()).toMatchObject({
      name: 'b',
      data: { m: '2' },
      context: { c: 1 },
      timestamp: '2026-01-01T00:00:00.000Z',
    });
    expect(run.codes()).toStrictEqual(['payload_changed']);
    expect(JSON.parse(eventJson(run.last()))).toStrictEqual({ ...run.last() });
  });

  it('undefined fields are left out, too', async () => {
    const run = record({
      context: { c: 1 },
      processors: [
        untyped(
          making(() => ({
            id: undefined,
            name: undefined,
            timestamp: undefined,
            data: undefined,
            context: undefined,
          })),
        ),
      ],
    });
    await emit(run);
    expect(run.last()).toMatchObject({
      name: 'a',
      data: { n: 1 },
      context: { c: 1 },
    });
    expect(run.reports).toStrictEqual([]);
  });

  it('several events send each of them on, with ids of their own', async () => {
    const run = through(
      making(() => [{ name: 'b' }, { name: 'c' }, { name: 'd', id: 'mine' }, { name: 'e', id: 'mine' }]),
    );
    await emit(run);
    const [b, c, d, e] = run.memory.events;
    expect(run.memory.events.map(({ name }) => name)).toStrictEqual(['b', 'c', 'd', 'e']);
    expect(b?.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(c?.id).toBe(nameUuid(b?.id ?? '', '1'));
    expect(d?.id).toBe('mine');
    expect(e?.id).toBe(nameUuid(b?.id ?? '', '3'));
    expect(run.tracker.stats().accepted).toBe(4);
  });

  it('several events of an event whose id is no UUID derive theirs, too', async () => {
    const run = through(making(() => [{ name: 'b' }, { name: 'c' }]));
    await run.tracker.emitAsync('a', {}, { id: 'order-7' });
    const [b, c] = run.memory.events.map(({ id }) => id);
    await run.tracker.emitAsync('a', {}, { id: 'order-7' });
    expect(b).toBe('order-7');
    expect(c).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5/);
    expect(run.memory.events.map(({ id }) => id)).toStrictEqual([b, c, b, c]);
  });

  it('a list with the event and a changed one keeps the first as it is', async () => {
    const run = through((event: TrackingEvent) => making(() => [event, { ...event, name: 'copy' }])());
    await emit(run);
    expect(run.memory.events).toMatchObject([
      { name: 'a', data: { n: 1 } },
      { name: 'copy', data: { n: 1 } },
    ]);
    expect(run.memory.events[0]?.id).not.toBe(run.memory.events[1]?.id);
  });

  it('an empty list drops it', async () => {
    const run = through(making(() => []));
    await expect(emit(run)).resolves.toMatchObject({
      dropped: 'filtered',
      outcomes: {},
    });
    expect(run.memory.events).toHaveLength(0);
    expect(run.tracker.stats()).toMatchObject({
      accepted: 0,
      dropped: { filtered: 1 },
    });
    expect(run.reports).toStrictEqual([]);
  });

  it('drop() ends its way, counted under the reason', async () => {
    const next = jest.fn();
    const run = through(
      making(() => drop('internal user')),
      next,
    );
    await expect(emit(run)).resolves.toMatchObject({
      event: { name: 'a' },
      dropped: 'internal user',
      outcomes: {},
    });
    expect(next).not.toHaveBeenCalled();
    expect(run.memory.events).toHaveLength(0);
    expect(run.tracker.stats()).toMatchObject({
      accepted: 0,
      dropped: { 'internal user': 1 },
      processorErrors: 0,
    });
    expect(run.reports).toStrictEqual([]);
  });

  it('an error is reported once, and the event goes on', async () => {
    const error = new Error('broken');
    const run = through(
      making(() => {
        throw error;
      }),
      (event: TrackingEvent) => ({ ...event, data: { next: true } }),
    );
    await emit(run);
    expect(run.last()).toMatchObject({ name: 'a', data: { next: true } });
    expect(run.reports).toMatchObject([{ code: 'processor_failed', path: '', error, event: { name: 'a' } }]);
    expect(run.tracker.stats()).toMatchObject({
      accepted: 1,
      processorErrors: 1,
      dropped: {},
    });
  });

  it('an error of a filter drops the event', async () => {
    const run = through(
      filter(
        untyped(
          making(() => {
            throw new Error('broken');
          }),
        ),
      ),
    );
    await expect(emit(run)).resolves.toMatchObject({
      dropped: 'filter_failed',
    });
    expect(run.memory.events).toHaveLength(0);
    expect(run.reports).toMatchObject([
      { code: 'processor_failed', message: expect.stringContaining('dropped') },
    ]);
    expect(run.tracker.stats()).toMatchObject({
      processorErrors: 1,
      dropped: { filter_failed: 1 },
    });
  });

  // A promise cannot resolve to something with a throwing `then`: it rejects.
  it.each(NONSENSE)('nonsense is reported once, and the event goes on: %s', async (_, make) => {
    const run = through(making(make));
    await emit(run);
    expect(run.memory.events).toMatchObject([{ name: 'a', data: { n: 1 } }]);
    expect(run.codes()).toStrictEqual(['processor_failed']);
    expect(run.tracker.stats()).toMatchObject({
      processorErrors: 1,
      dropped: {},
    });
  });

  it.each(NONSENSE)('nonsense of a filter drops the event: %s', async (_, make) => {
    const run = through(filter(untyped(making(make))));
    await emit(run);
    expect(run.memory.events).toHaveLength(0);
    expect(run.tracker.stats().dropped).toStrictEqual({ filter_failed: 1 });
  });

  it('events that are too large leave the others alone', async () => {
    const run = through(making(() => [{ name: 'b', data: { text: 'x'.repeat(2_000_000) } }, { name: 'c' }]));
    const report = await emit(run);
    expect(run.memory.events).toMatchObject([{ name: 'c' }]);
    expect(run.codes()).toStrictEqual(['too_large']);
    expect(run.tracker.stats()).toMatchObject({
      accepted: 1,
      dropped: { too_large: 1 },
    });
    // It reached a backend, so it was not dropped as a whole.
    expect(report).toMatchObject({
      outcomes: { memory: { status: 'accepted' } },
    });
    expect(report).not.toHaveProperty('dropped');
  });

  it('an event that is too large drops it', async () => {
    const run = through(making(() => ({ data: { text: 'x'.repeat(2_000_000) } })));
    await expect(emit(run)).resolves.toMatchObject({ dropped: 'too_large' });
    expect(run.memory.events).toHaveLength(0);
    expect(run.codes()).toStrictEqual(['too_large']);
  });

  it('bad fields repairs them like those of emit', async () => {
    const run = through(
      making(() => ({
        id: '',
        name: 7,
        timestamp: 'soon',
        context: { a: 1n },
      })),
    );
    await emit(run);
    expect(run.last()).toMatchObject({
      name: 'unknown',
      timestamp: '2026-01-01T00:00:00.000Z',
      data: { n: 1 },
      context: { a: '1' },
    });
    expect(run.last().id).toMatch(/^[0-9a-f-]{36}$/);
    expect(run.codes().sort()).toStrictEqual([
      'context_changed',
      'invalid_name',
      'invalid_option',
      'invalid_option',
    ]);
  });

  it('null as payload or context empties them', async () => {
    const run = record({
      context: { c: 1 },
      processors: [untyped(making(() => ({ data: null, context: null })))],
    });
    await emit(run);
    expect(run.last()).toMatchObject({ data: {}, context: {} });
  });

  it('what shares objects with the app is copied', async () => {
    const mine = { list: [1] };
    const run = through(making(() => ({ data: mine, context: { mine } })));
    await emit(run);
    mine.list.push(2);
    expect(run.last()).toMatchObject({
      data: { list: [1] },
      context: { mine: { list: [1] } },
    });
  });
});

describe('processors', () => {
  it('run in order, each on what the one before made of the event', async () => {
    const order: string[] = [];
    const add = (letter: string, slow: boolean) => (event: TrackingEvent) => {
      order.push(`${letter}:${event.name}`);
      const next = { ...event, name: event.name + letter };
      return slow ? later(next) : next;
    };
    const run = through(add('b', false), add('c', true), add('d', false), add('e', true));
    await run.tracker.emitAsync('a');
    expect(order).toStrictEqual(['b:a', 'c:ab', 'd:abc', 'e:abcd']);
    expect(run.last().name).toBe('abcde');
  });

  it('see each of several events on its own', async () => {
    const run = through(
      () => [{ name: 'b' }, { name: 'c' }],
      (event: TrackingEvent) => (event.name === 'b' ? drop('no b') : later([event, { name: 'd' }])),
      (event: TrackingEvent) => ({ data: { was: event.name } }),
    );
    const report = await run.tracker.emitAsync('a');
    expect(run.memory.events.map(({ name, data }) => [name, data])).toStrictEqual([
      ['c', { was: 'c' }],
      ['d', { was: 'd' }],
    ]);
    expect(report).not.toHaveProperty('dropped');
    expect(run.tracker.stats()).toMatchObject({
      accepted: 2,
      dropped: { 'no b': 1 },
    });
  });

  it('cannot change an event in place', () => {
    const run = through((event: { data: { n: number } }) => {
      event.data.n = 2;
    });
    run.tracker.emit('a', { n: 1 });
    expect(run.last().data).toStrictEqual({ n: 1 });
    expect(run.codes()).toStrictEqual(['processor_failed']);
  });

  it('that answer at once deliver at once', () => {
    const run = through(() => undefined);
    run.tracker.emit('a');
    expect(run.memory.events).toHaveLength(1);
  });

  it('may emit events themselves', () => {
    const run: Recording = through((event: TrackingEvent) => {
      if (event.name === 'a') {
        run.tracker.emit('b');
      }
    });
    run.tracker.emit('a');
    expect(run.memory.events.map(({ name }) => name)).toStrictEqual(['b', 'a']);
  });

  it('see the context of the event, even when they answer later', async () => {
    const gate = deferred();
    const run = through(async () => {
      await gate.promise;
    });
    run.tracker.context('a', { a: 1 }, () => {
      run.tracker.emit('a');
    });
    gate.resolve();
    await run.tracker.flush();
    expect(run.last().context).toStrictEqual({ a: 1 });
  });
});
