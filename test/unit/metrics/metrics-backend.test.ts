import { AsyncLocalStorage } from 'node:async_hooks';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { createMetrics, memoryMetricsStore, metricsBackend } from '../../../lib/core.js';
import type {
  Backend,
  Metrics,
  MetricsBackendOptions,
  MetricsRule,
  TrackingEvent,
  TrackingReport,
} from '../../../lib/core.js';
import { backendContract, fakeClock } from '../../../lib/testing.js';
import type { FakeClock } from '../../../lib/testing.js';
import { problemsOf } from '../processors/events.js';
import { failingStore } from '../../support/failing-store.js';
import type { FailingStore } from '../../support/failing-store.js';

const NOW = Date.UTC(2026, 0, 15, 10, 30);
const RULE: MetricsRule = {
  event: 'donation.received',
  metric: 'donations',
  subject: ({ data }) => data['run'] as string,
};

let store: FailingStore;
let metrics: Metrics;
let clock: FakeClock;
let reports: TrackingReport[];
let ids = 0;

function backendWith(options: Partial<Omit<MetricsBackendOptions, 'metrics'>> = {}): Backend {
  const backend = metricsBackend({ metrics, rules: [RULE], ...options });
  backend.attach?.({
    tracker: 'default',
    path: 'counters',
    clock,
    report: (report) => reports.push(report),
  });
  return backend;
}

function event(data: TrackingEvent['data'] = { run: 'r' }, rest: Partial<TrackingEvent> = {}): TrackingEvent {
  return {
    id: `event-${ids++}`,
    name: 'donation.received',
    timestamp: new Date(clock.now()).toISOString(),
    data,
    context: {},
    ...rest,
  };
}

const donations = (): Promise<number> => metrics.total('r', 'donations');

beforeEach(() => {
  clock = fakeClock(NOW);
  store = failingStore();
  metrics = createMetrics({ store, clock });
  reports = [];
});

describe('rules', () => {
  it('count events under their own time, by name, glob and RegExp', async () => {
    const backend = backendWith({
      rules: [
        RULE,
        { event: 'donation.*', metric: 'all', subject: 'site' },
        {
          event: [/^donation/, 'other'],
          metric: ({ name }) => `of ${name}`,
          subject: ['a', 7],
          by: ({ data }) => data['cents'] as number,
        },
      ],
    });
    const timestamp = '2026-01-01T23:59:59.000Z';
    await backend.send(event({ run: 'r', cents: 500 }, { timestamp }));
    await backend.send(event({ run: 'r', cents: 250 }));
    await backend.send(event({ cents: 1 }, { name: 'other' }));
    await backend.send(event({}, { name: 'unheard' }));
    await backend.flush?.({ timeoutMs: 10 });

    expect(await metrics.count('r', 'donations', { from: '2026-01-02' })).toBe(1);
    expect(await donations()).toBe(2);
    expect(await metrics.total('site', 'all')).toBe(2);
    expect(
      await metrics.totals([
        ['a', 'of donation.received'],
        ['7', 'of donation.received'],
        ['a', 'of other'],
      ]),
    ).toEqual([750, 750, 1]);
  });

  it('add members, of subjects or of the whole', async () => {
    const donor = ({ data }: TrackingEvent): number => data['donor'] as number;
    const backend = backendWith({
      rules: [
        { event: 'donation.*', metric: 'donors', unique: donor },
        { ...RULE, metric: 'donors', unique: (e) => [donor(e), 'anna'] },
      ],
    });
    for (const id of [1, 2, 2, 3]) {
      await backend.send(event({ run: 'r', donor: id }));
    }
    await backend.flush?.({ timeoutMs: 10 });

    expect(await metrics.uniques('donors')).toBe(3);
    expect(await metrics.uniques('donors', { subject: 'r' })).toBe(4);
  });

  it('record facts', async () => {
    const backend = backendWith({
      rules: [{ ...RULE, metric: 'note', record: ({ data }) => data }],
    });
    await backend.send(event({ run: 'r', text: 'Thanks!' }));
    await backend.flush?.({ timeoutMs: 10 });

    expect(await metrics.facts('r', 'note')).toEqual([
      {
        at: '2026-01-15T10:30:00.000Z',
        facts: { run: 'r', text: 'Thanks!' },
      },
    ]);
  });

  it('do nothing where an event says nothing', async () => {
    const backend = backendWith({
      rules: [
        { ...RULE, subject: () => undefined },
        { ...RULE, metric: () => undefined },
        { ...RULE, by: () => null },
        { ...RULE, unique: () => undefined },
        { ...RULE, record: () => undefined },
      ],
    });
    await backend.send(event());
    await backend.flush?.({ timeoutMs: 10 });

    expect(store.writes).toBe(0);
    expect(backend.stats?.()).toMatchObject({ accepted: 1, delivered: 1 });
  });

  it.each<[string, Partial<MetricsRule>]>([
    [
      'by',
      {
        by: () => {
          throw new Error('by of no data');
        },
      },
    ],
    ['by', { by: () => 0.5 }],
    ['subject', { subject: () => true as unknown as string }],
    ['subject', { subject: () => '' }],
    ['facts', { record: () => ({ at: new Date() }) as never }],
  ])('that fail (%s) are reported, and hurt no other', async (named, rule) => {
    const backend = backendWith({ rules: [{ ...RULE, ...rule } as MetricsRule, RULE] });
    await backend.send(event());
    await backend.flush?.({ timeoutMs: 10 });

    expect(await donations()).toBe(1);
    expect(reports).toHaveLength(1);
    expect(reports[0]?.message).toContain('rules[0]');
    expect(String(reports[0]?.error)).toContain(named);
    expect(backend.stats?.()).toMatchObject({ accepted: 1, delivered: 1 });
  });

  it('are checked together at boot', () => {
    const options = {
      metrics: {},
      rules: [
        { event: '', metric: '' },
        { ...RULE, by: 1.5, unique: () => 1, when: 1 },
        { ...RULE, unique: 1, subject: {} },
        { ...RULE, record: 1 },
        { metric: 'm', subject: ['a', ''] },
        'rule',
      ],
      batch: { maxEvents: 0, maxDelayMs: -1 },
      maxWaiting: 0,
      rememberIds: 'many',
      rule: [],
    };
    expect(problemsOf(() => metricsBackend(options as unknown as MetricsBackendOptions))).toStrictEqual([
      'the options of metricsBackend() are wrong:',
      'rule is not an option; known are metrics, rules, batch, maxWaiting, rememberIds',
      'expected metrics to be what createMetrics() returns, and not that of another copy of nestjs-tracking, got an empty object',
      'expected rules[0].event[0] to be a name, a glob or a RegExp, got ""',
      'expected rules[0].metric to be a name or a function, got ""',
      'expected rules[0].subject to be a name, names or a function, got undefined',
      'rules[1].when is not an option; known are event, metric, subject, by, unique, record',
      'expected rules[1].by to be a safe integer or a function, got 1.5',
      'rules[1]: a rule does one thing, not by and unique',
      'expected rules[2].subject to be a name, names or a function, got an empty object',
      'expected rules[2].unique to be a function, got 1',
      'expected rules[3].record to be a function, got 1',
      'expected rules[4].event[0] to be a name, a glob or a RegExp, got undefined',
      'expected rules[4].subject to be a name, names or a function, got an array of 2',
      'expected rules[5] to be an object, got "rule"',
      'expected batch.maxEvents to be a positive integer, got 0',
      'expected batch.maxDelayMs to be milliseconds, 0 or more, got -1',
      'expected maxWaiting to be a positive integer, got 0',
      'expected rememberIds to be a positive integer, got "many"',
    ]);
  });

  it.each([undefined, { metrics: 1 }, { batch: 1, rules: {} }])(
    'and options of %j are refused',
    (options) => {
      expect(() => metricsBackend(options as never)).toThrow(/metricsBackend/);
    },
  );
});

describe('putting together', () => {
  it('writes one change for many events, after a time', async () => {
    const backend = backendWith({ batch: { maxDelayMs: 500 } });
    for (let n = 0; n < 10; n++) {
      await backend.send(event());
    }
    await clock.advance(499);
    expect(store.writes).toBe(0);
    expect(backend.stats?.()).toMatchObject({ depth: 10, oldestMs: 499 });

    await clock.advance(1);
    expect(store.writes).toBe(1);
    expect(await donations()).toBe(10);
    expect(backend.stats?.()).toMatchObject({ delivered: 10, depth: 0 });
  });

  it('writes after a number of events', async () => {
    const backend = backendWith({ batch: { maxEvents: 3 } });
    for (let n = 0; n < 4; n++) {
      await backend.send(event());
    }
    await clock.advance(0);

    expect(await donations()).toBe(3);
  });

  it('counts an event once that comes again', async () => {
    const backend = backendWith({ rememberIds: 2 });
    const [first, second, third] = [event(), event(), event()];
    for (const each of [first, second, second, third, first]) {
      await backend.send(each);
    }
    await backend.flush?.({ timeoutMs: 10 });

    // The first id was forgotten when the third came.
    expect(await donations()).toBe(4);
    expect(backend.stats?.()).toMatchObject({ accepted: 5, delivered: 5 });
  });

  it('remembers 10,000 ids by default', async () => {
    const backend = backendWith();
    const [first, second] = [event(), event()];
    for (const each of [first, second, ...Array.from({ length: 9_998 }, () => event()), first]) {
      await backend.send(each);
    }
    await backend.send(event());
    await backend.send(event());
    // Two more have come, and the second is forgotten.
    await backend.send(second);
    await backend.flush?.({ timeoutMs: 10 });

    expect(await donations()).toBe(10_003);
  });

  it('leaves the async context of events behind', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const increment = store.increment.bind(store);
    store.increment = (...args) => {
      seen.push(storage.getStore());
      return increment(...args);
    };
    const backend = backendWith({ batch: { maxEvents: 1 } });
    await storage.run('request', async () => backend.send(event()));
    await backend.flush?.({ timeoutMs: 10 });

    expect(seen).toEqual([undefined]);
  });

  it('refuses sums that would not be exact', () => {
    const backend = backendWith({
      rules: [{ ...RULE, by: Number.MAX_SAFE_INTEGER }],
    });
    void backend.send(event());

    expect(() => backend.send(event())).toThrow(/safe integer/);
    expect(backend.stats?.()).toMatchObject({
      accepted: 1,
      dropped: { overflow: 1 },
    });
  });
});

describe('while the store is down', () => {
  it('lets events wait, tells once, and counts them all later', async () => {
    store.mode = 'fails';
    const backend = backendWith();
    await backend.send(event());
    await clock.advance(1_000);
    await backend.send(event());
    await clock.advance(500 + 1_000);
    expect(backend.stats?.()).toMatchObject({
      accepted: 2,
      delivered: 0,
      depth: 2,
      state: 'retrying',
      lastError: 'the store is down',
    });
    expect(reports).toHaveLength(1);

    store.mode = 'ok';
    await clock.advance(2_000);
    await clock.advance(1_000);
    expect(await donations()).toBe(2);
    expect(backend.stats?.()).toMatchObject({
      delivered: 2,
      depth: 0,
      retried: 3,
      state: 'ok',
    });
  });

  it('waits longer and longer, up to 30 s', async () => {
    store.mode = 'fails';
    const backend = backendWith({ batch: { maxEvents: 1 } });
    await backend.send(event());
    const waits = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000];
    for (const [index, wait] of waits.entries()) {
      await clock.advance(wait - 1);
      expect(store.writes).toBe(index + 1);
      await clock.advance(1);
      expect(store.writes).toBe(index + 2);
    }
  });

  it('takes no more than fits, but what needs no room', async () => {
    store.mode = 'fails';
    const backend = backendWith({ maxWaiting: 2 });
    await backend.send(event({ run: 'r' }));
    await backend.send(event({ run: 's' }));
    expect(() => backend.send(event({ run: 't' }))).toThrow(/maxWaiting/);
    await backend.send(event({ run: 'r' }));
    await clock.advance(1_000);
    expect(() => backend.send(event({ run: 'r' }))).toThrow(/maxWaiting/);

    expect(backend.stats?.()).toMatchObject({
      accepted: 3,
      depth: 3,
      dropped: { overflow: 2 },
    });
  });

  it('counts once what was done although its answer was lost', async () => {
    const backend = backendWith({
      rules: [RULE, { ...RULE, metric: 'note', record: ({ data }) => data }],
    });
    store.mode = 'losesAnswers';
    await backend.send(event());
    await clock.advance(1_000 + 500);
    store.mode = 'ok';
    await clock.advance(1_000);

    expect(await donations()).toBe(1);
    expect(await metrics.facts('r', 'note')).toHaveLength(1);
  });

  it('tries again when it does not answer', async () => {
    store.mode = 'hangs';
    const backend = backendWith({ batch: { maxEvents: 1 } });
    await backend.send(event());
    await clock.advance(10_000);
    expect(backend.stats?.()).toMatchObject({ state: 'retrying', depth: 1 });
    expect(reports[0]?.error).toMatchObject({ code: 'timeout' });

    store.mode = 'ok';
    store.release();
    await clock.advance(500);
    expect(await donations()).toBe(1);
  });
});

describe('a counter that the store refuses', () => {
  it('holds up no other', async () => {
    const backend = backendWith();
    const most = Number.MAX_SAFE_INTEGER;
    await metrics.increment('full', 'donations', { by: most });
    for (const run of ['a', 'full', 'b', 'full', 'r']) {
      await backend.send(event({ run }));
    }
    await backend.flush?.({ timeoutMs: 10 });

    expect(
      await metrics.totals([
        ['a', 'donations'],
        ['b', 'donations'],
        ['r', 'donations'],
        ['full', 'donations'],
      ]),
    ).toEqual([1, 1, 1, most]);
    expect(backend.stats?.()).toMatchObject({ delivered: 3, dead: 2 });
    expect(reports.map(({ message }) => message)).toEqual(['2 events could not be counted']);
  });
});

describe('flush and close', () => {
  it('flush waits for what came before, and no longer than its budget', async () => {
    store.mode = 'hangs';
    const backend = backendWith();
    await backend.send(event());
    let flushed = false;
    const flushing = Promise.resolve(backend.flush?.({ timeoutMs: 100 })).then(() => {
      flushed = true;
    });
    await clock.advance(99);
    expect(flushed).toBe(false);
    await clock.advance(1);
    await flushing;

    const second = backend.flush?.({ timeoutMs: 100 });
    store.release();
    await second;
    expect(await donations()).toBe(1);
  });

  it('close writes what waits, also behind a batch and a pause', async () => {
    store.mode = 'fails';
    const backend = backendWith();
    await backend.send(event());
    await clock.advance(1_000);
    await backend.send(event());
    store.mode = 'ok';
    await backend.close?.({ timeoutMs: 10 });

    expect(await donations()).toBe(2);
    expect(backend.stats?.()).toMatchObject({ delivered: 2, state: 'closed' });
    expect(() => backend.send(event())).toThrow(/closed/);
    expect(backend.stats?.().dropped).toEqual({ closed: 1 });
  });

  it('close gives up in the end, and says how many', async () => {
    store.mode = 'fails';
    const backend = backendWith();
    await backend.send(event());
    await backend.send(event());
    const closing = backend.close?.({ timeoutMs: 1_000 });
    await clock.advance(1_000);
    await closing;
    const { writes } = store;
    await clock.advance(60_000);

    expect(store.writes).toBe(writes);
    expect(backend.stats?.()).toMatchObject({ accepted: 2, dead: 2, depth: 0 });
    expect(reports.at(-1)?.message).toBe('2 events were not counted before the end');
  });

  it('gives up when the metrics were closed first', async () => {
    const backend = backendWith();
    await backend.send(event());
    await metrics.close();
    await clock.advance(1_000);

    expect(backend.stats?.()).toMatchObject({ dead: 1, depth: 0 });
    expect(reports.at(-1)?.error).toMatchObject({ code: 'closed' });
  });
});

describe('metricsBackend keeps the contract of a backend', () => {
  const tests = backendContract(() =>
    metricsBackend({
      metrics: createMetrics({ store: memoryMetricsStore() }),
      rules: [{ event: '*', metric: 'events', subject: 'all' }],
    }),
  );
  it.each(tests)('$name', ({ run }) => run());
});
