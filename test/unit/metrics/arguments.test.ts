import { beforeEach, describe, expect, it } from '@jest/globals';
import { createMetrics, memoryMetricsStore } from '../../../lib/core.js';
import type { Metrics, MetricsOptions } from '../../../lib/core.js';
import { fakeClock } from '../../../lib/testing.js';
import { failingStore } from '../../support/failing-store.js';
import type { FailingStore } from '../../support/failing-store.js';
import { problemsOf } from '../processors/events.js';

/** Calls with anything. */
type Loose = Record<keyof Metrics, (...args: unknown[]) => Promise<unknown>>;

let store: FailingStore;
let metrics: Loose;

beforeEach(() => {
  store = failingStore();
  metrics = createMetrics({
    store,
    clock: fakeClock(Date.UTC(2026, 0, 15, 10)),
  }) as unknown as Loose;
});

describe('a wrong argument is refused by name, with what was expected and given, and nothing is written', () => {
  it.each<[string, string, string, (m: Loose) => Promise<unknown>]>([
    ['TypeError', 'subject', 'got undefined', (m) => m.increment(undefined, 'd')],
    ['TypeError', 'subject', 'got 7', (m) => m.total(7, 'd')],
    ['TypeError', 'subject[1]', 'got null', (m) => m.increment(['a', null], 'd')],
    ['TypeError', 'subject', 'an object', (m) => m.increment({ a: 1 }, 'd')],
    ['RangeError', 'subject', 'got ""', (m) => m.increment('', 'd')],
    ['RangeError', 'metric', 'got ""', (m) => m.increment(['a'], ['d', ''])],
    ['RangeError', 'metric', '512 bytes', (m) => m.total('a', 'ü'.repeat(257))],
    ['RangeError', 'metric', 'Unicode', (m) => m.total('a', 'a\ud800')],
    ['RangeError', 'by', 'got NaN', (m) => m.increment('a', 'd', { by: NaN })],
    ['RangeError', 'by', 'Infinity', (m) => m.increment('a', 'd', { by: Infinity })],
    ['RangeError', 'by', 'got 0.5', (m) => m.incrementTotal('a', 'd', { by: 0.5 })],
    ['RangeError', 'by', 'integer', (m) => m.increment('a', 'd', { by: 2 ** 53 })],
    ['TypeError', 'by', 'got "1"', (m) => m.increment('a', 'd', { by: '1' })],
    ['TypeError', 'by', 'got 1n', (m) => m.increment('a', 'd', { by: 1n })],
    ['TypeError', 'of', 'at', (m) => m.increment('a', 'd', { of: 1 })],
    ['TypeError', 'at', 'by', (m) => m.incrementTotal('a', 'd', { at: 1 })],
    ['TypeError', 'options', 'got 5', (m) => m.increment('a', 'd', 5)],
    ['RangeError', 'at', 'got NaN', (m) => m.increment('a', 'd', { at: new Date(NaN) })],
    ['RangeError', 'at', 'YYYY-MM-DD', (m) => m.increment('a', 'd', { at: 'today' })],
    ['RangeError', 'at', '2026-02-30', (m) => m.increment('a', 'd', { at: '2026-02-30' })],
    ['RangeError', 'at', '1 to 9999', (m) => m.increment('a', 'd', { at: 8e15 })],
    ['RangeError', 'at', '1 to 9999', (m) => m.increment('a', 'd', { at: '0000-01-01' })],
    ['TypeError', 'at', 'got null', (m) => m.increment('a', 'd', { at: null })],
    ['TypeError', 'value', 'undefined', (m) => m.set('a', 'd', { at: '2026-01-01' })],
    ['RangeError', 'value', 'got 1.5', (m) => m.set('a', 'd', { value: 1.5 })],
    ['TypeError', 'counters', 'got "ab"', (m) => m.totals('ab')],
    ['TypeError', 'counters[0]', 'array of 1', (m) => m.totals([['a']])],
    [
      'RangeError',
      'counters[1][1]',
      '""',
      (m) =>
        m.counts([
          ['a', 'd'],
          ['a', ''],
        ]),
    ],
    ['TypeError', 'range', 'got "2026"', (m) => m.count('a', 'd', '2026')],
    ['TypeError', 'until', 'from', (m) => m.count('a', 'd', { until: 1 })],
    ['RangeError', 'to', 'got "x"', (m) => m.count('a', 'd', { to: 'x' })],
    ['TypeError', 'by', 'got undefined', (m) => m.series('a', 'd', { from: 0 })],
    ['RangeError', 'by', 'got "minute"', (m) => m.series('a', 'd', { by: 'minute', from: 0 })],
    ['TypeError', 'from', 'undefined', (m) => m.series('a', 'd', { by: 'day' })],
    ['RangeError', 'limit', 'got 0', (m) => m.series('a', 'd', { by: 'day', from: 0, limit: 0 })],
    ['RangeError', 'limit', 'got -1', (m) => m.series('a', 'd', { by: 'day', from: 0, limit: -1 })],
    ['RangeError', 'limit', '100000', (m) => m.series('a', 'd', { by: 'day', from: 0, limit: 1e6 })],
    ['TypeError', 'to', 'limit', (m) => m.series('a', 'd', { by: 'day', from: 0, to: 1, limit: 1 })],
    [
      'RangeError',
      'to',
      'buckets',
      (m) => m.series('a', 'd', { by: 'day', from: '0001-01-02', to: '9999-01-01' }),
    ],
    ['RangeError', 'to', 'buckets', (m) => m.series('a', 'd', { by: 'hour', from: '1990-01-01' })],
    ['TypeError', 'member', 'got 7', (m) => m.addUnique('donors', 7)],
    ['RangeError', 'member', 'got ""', (m) => m.addUnique('donors', '')],
    ['RangeError', 'subject', 'got ""', (m) => m.uniques('donors', { subject: '' })],
    ['TypeError', 'facts', 'got 5', (m) => m.record('a', 'note', 5)],
    ['TypeError', 'facts', 'array', (m) => m.record('a', 'note', [])],
    ['TypeError', 'facts', 'NaN', (m) => m.record('a', 'note', { n: NaN })],
    ['TypeError', 'facts.at', 'JSON', (m) => m.record('a', 'note', { at: new Date(0) })],
    ['RangeError', 'facts', '65536', (m) => m.record('a', 'note', { text: 'x'.repeat(70_000) })],
    ['RangeError', 'key', 'got ""', (m) => m.factsOf('')],
    ['TypeError', 'what', 'undefined', (m) => m.clear()],
    ['TypeError', 'subject', 'undefined', (m) => m.clear({ subject: undefined })],
    ['TypeError', 'metric', 'undefined', (m) => m.clear({ subject: 'a', metric: undefined })],
    ['TypeError', 'key', 'subject', (m) => m.clear({ key: 'a' })],
  ])('%s: %s … %s', async (type, option, given, call) => {
    await expect(call(metrics)).rejects.toMatchObject({
      name: type,
      message: expect.stringContaining(option),
    });
    await expect(call(metrics)).rejects.toThrow(given);
    expect(store.writes).toBe(0);
  });
});

describe('names', () => {
  it('may come from any iterable, once', async () => {
    function* names(...all: string[]): Generator<string> {
      yield* all;
    }
    expect(await metrics.increment(names('a', 'b'), new Set(['x', 'y']))).toEqual([1, 1, 1, 1]);
    expect(await metrics.increment(['a'], 'x')).toEqual([2]);
  });
});

describe('dates', () => {
  it('may be a Date, milliseconds, or a day', async () => {
    await metrics.increment('a', 'd', { at: new Date('2026-01-02T23:59:59Z') });
    await metrics.increment('a', 'd', { at: Date.UTC(2026, 0, 2) });
    await metrics.increment('a', 'd', { at: '2026-01-02' });

    const day = {
      from: new Date('2026-01-02T12:00:00Z'),
      to: Date.UTC(2026, 0, 2, 1),
    };
    expect(await metrics.count('a', 'd', day)).toBe(3);
  });

  it('a series from the future up to now is empty', async () => {
    for (const by of ['hour', 'day', 'week', 'month', 'year']) {
      expect(await metrics.series('a', 'd', { by, from: '2030-01-01' })).toEqual([]);
    }
  });

  it('hours may be asked for in either order; a day as an end is all of it', async () => {
    const options = {
      by: 'hour',
      from: '2026-01-02',
      to: Date.UTC(2026, 0, 1, 23, 30),
    };
    expect(await metrics.series('a', 'd', options)).toHaveLength(25);
  });
});

describe('createMetrics', () => {
  it('lists everything that is wrong with its options', () => {
    const options = {
      store: { ...memoryMetricsStore(), increment: 1, close: undefined },
      timeZone: 'Mars/Olympus',
      retention: { hour: { days: 0 }, day: 7, week: {} },
      clock: {},
      zone: 'UTC',
    };
    const methods = ['set', 'totals', 'days', 'hours', 'addMembers', 'countMembers', 'record'];
    const more = ['facts', 'factsOf', 'clear', 'prune', 'close'];
    expect(problemsOf(() => createMetrics(options as unknown as MetricsOptions))).toStrictEqual([
      'the options of createMetrics() are wrong:',
      'zone is not an option; known are store, timeZone, retention, clock',
      'expected store.increment to be a function, got 1',
      ...[...methods, ...more].map((method) => `expected store.${method} to be a function, got undefined`),
      'expected timeZone to be the IANA name of a time zone, such as Europe/Berlin, got "Mars/Olympus"',
      'retention.week is not an option; known are hour, day',
      'expected retention.hour.days to be a positive integer, got 0',
      'expected retention.day to be an object, got 7',
      'expected clock.now to be a function, got undefined',
    ]);
  });

  it.each<[unknown, string]>([
    [undefined, 'expected store to be a metrics store, got undefined'],
    [null, 'expected options to be an object, got null'],
    [{ store: 1 }, 'expected store to be a metrics store, got 1'],
    [
      { store: memoryMetricsStore(), timeZone: 5 },
      'expected timeZone to be the IANA name of a time zone, such as Europe/Berlin, got 5',
    ],
    [{ store: memoryMetricsStore(), clock: 5 }, 'expected clock to be a clock, got 5'],
    [{ store: memoryMetricsStore(), retention: 5 }, 'expected retention to be an object, got 5'],
  ])('refuses %j', (options, problem) => {
    expect(problemsOf(() => createMetrics(options as MetricsOptions))).toStrictEqual([
      'the options of createMetrics() are wrong:',
      problem,
    ]);
  });

  it('uses the time of the system by default', async () => {
    const own = createMetrics({ store: memoryMetricsStore() });
    await own.increment('a', 'd');

    expect(await own.count('a', 'd', { from: Date.now() })).toBe(1);
  });
});
