import { describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import type { Backend, BackendStats, TrackerOptions } from 'nestjs-tracking/core';
import { consent, eventBytes, filter, loggerBackend, TrackingError } from 'nestjs-tracking/core';
import { httpBackend, memoryBacklog } from 'nestjs-tracking/http';
import { trackingMetrics } from 'nestjs-tracking/prometheus';
import { turns } from '../../support/http-app.js';
import type { AnyTracker, Deferred, Recording } from '../../support/recording.js';
import { deferred, record } from '../../support/recording.js';

interface Gated {
  /** Names of the events that were let in, in order. */
  readonly begun: string[];
  readonly gates: Deferred[];
  begin(event: { readonly name: string }): Promise<void>;
}

/** Work that ends when the test says so. */
function gated(): Gated {
  const begun: string[] = [];
  const gates: Deferred[] = [];
  return {
    begun,
    gates,
    begin: ({ name }) => {
      begun.push(name);
      const gate = deferred();
      gates.push(gate);
      return gate.promise;
    },
  };
}

/** Of one size, whatever its number below 100. */
const nameOf = (n: number): string => `e${String(n).padStart(2, '0')}`;

/** Bytes of an event of that name without a payload. */
function sizeOfOne(): number {
  const { tracker, last } = record();
  tracker.emit(nameOf(0));
  return eventBytes(last());
}

/** Emits so many, each awaited by nobody; what became of those that are over already. */
function emitMany(tracker: AnyTracker, count: number, from = 0): { readonly over: Map<number, unknown> } {
  const over = new Map<number, unknown>();
  for (let n = from; n < from + count; n++) {
    void tracker.emitAsync(nameOf(n)).then((report) => {
      over.set(n, report.dropped ?? Object.values(report.outcomes)[0]?.reason ?? 'accepted');
    });
  }
  return { over };
}

/** Where asynchronous work is bounded: at one backend, and at the processors of one node. */
const PLACES: readonly [string, (work: Gated) => Partial<TrackerOptions>][] = [
  ['a backend', (work) => ({ backends: { slow: { send: work.begin } } })],
  [
    'a backend with stats of its own',
    (work) => ({ backends: { slow: { send: work.begin, stats: noStats } } }),
  ],
  ['a processor', (work) => ({ processors: [work.begin] })],
  ['a filter', (work) => ({ processors: [filter(work.begin)] })],
  ['consent', (work) => ({ processors: [consent((event) => work.begin(event).then(() => true))] })],
  [
    'a processor that is a class',
    (work) => ({
      processors: [
        class Slow {
          process(event: { readonly name: string }): Promise<void> {
            return work.begin(event);
          }
        },
      ],
    }),
  ],
  [
    'a processor of a router',
    (work) => ({
      backends: { router: { processors: [work.begin], backends: { fine: { send: () => undefined } } } },
    }),
  ],
  ['the second of two processors', (work) => ({ processors: [() => undefined, work.begin] })],
];

function noStats(): BackendStats {
  return { accepted: 0, delivered: 0, retried: 0, dead: 0, dropped: {}, depth: 0, state: 'ok' };
}

function overflowsOf({ tracker, reports }: Recording): readonly [dropped: number, reported: number] {
  const { dropped, backends } = tracker.stats();
  const all = [dropped, ...Object.values(backends).map((own) => own.dropped)];
  return [
    all.reduce((sum, one) => sum + (one['overflow'] ?? 0), 0),
    reports.filter(({ code }) => code === 'overflow').length,
  ];
}

describe.each(PLACES)('the bounds of %s', (_where, options) => {
  const begin = (limits: TrackerOptions['limits']): { run: Recording; work: Gated } => {
    const work = gated();
    return { run: record({ ...options(work), limits: { processorTimeoutMs: 60_000, ...limits } }), work };
  };

  it('are asked before the work begins: nothing is begun beyond them', async () => {
    const { run, work } = begin({ maxPending: 3 });
    for (let n = 0; n < 10; n++) {
      run.tracker.emit(nameOf(n));
    }
    expect(work.begun).toStrictEqual(['e00', 'e01', 'e02']);
    expect(overflowsOf(run)).toStrictEqual([7, 7]);
    // What ends makes room for as much, and no more.
    work.gates[1]?.resolve();
    await turns(1);
    run.tracker.emit(nameOf(10));
    run.tracker.emit(nameOf(11));
    expect(work.begun.slice(3)).toStrictEqual(['e10']);
    expect(overflowsOf(run)).toStrictEqual([8, 8]);
  });

  it.each([
    ['exactly', 0, 2],
    ['but for one byte', -1, 1],
    ['with one byte to spare', 1, 2],
  ])('are filled by bytes: %s', async (_how, more, begun) => {
    const { run, work } = begin({ pendingBytes: 2 * sizeOfOne() + more });
    for (let n = 0; n < 5; n++) {
      run.tracker.emit(nameOf(n));
    }
    expect(work.begun).toHaveLength(begun);
    expect(overflowsOf(run)).toStrictEqual([5 - begun, 5 - begun]);
    work.gates[0]?.resolve();
    await turns(1);
    run.tracker.emit(nameOf(5));
    expect(work.begun).toHaveLength(begun + 1);
  });

  it('let as many wait as there may be under way, and refuse more at once', async () => {
    const { run, work } = begin({ maxPending: 2 });
    const { over } = emitMany(run.tracker, 10);
    await turns(1);
    expect(work.begun).toStrictEqual(['e00', 'e01']);
    expect([...over]).toStrictEqual([4, 5, 6, 7, 8, 9].map((n) => [n, 'overflow']));
    expect(overflowsOf(run)).toStrictEqual([6, 6]);
    // Those who wait come in, in their order, and leave their place to others.
    work.gates[0]?.resolve();
    await turns(1);
    expect(work.begun).toStrictEqual(['e00', 'e01', 'e02']);
    const more = emitMany(run.tracker, 3, 10);
    await turns(1);
    expect([...more.over]).toStrictEqual([
      [11, 'overflow'],
      [12, 'overflow'],
    ]);
    for (let turn = 1; turn < 5; turn++) {
      work.gates[turn]?.resolve();
      await turns(1);
    }
    expect(work.begun).toStrictEqual(['e00', 'e01', 'e02', 'e03', 'e10']);
    await expect(run.tracker.flush()).resolves.toStrictEqual({ settled: true, pending: 0 });
    expect(overflowsOf(run)).toStrictEqual([8, 8]);
  });

  it.each([
    ['exactly', 0, 2],
    ['but for one byte', -1, 1],
  ])('let as many bytes wait as may be under way: %s', async (_how, more, room) => {
    const { run, work } = begin({ pendingBytes: 2 * sizeOfOne() + more });
    const { over } = emitMany(run.tracker, 8);
    await turns(1);
    expect(work.begun).toHaveLength(room);
    expect(over.size).toBe(8 - 2 * room);
    expect(overflowsOf(run)).toStrictEqual([8 - 2 * room, 8 - 2 * room]);
    work.gates[0]?.resolve();
    await turns(1);
    expect(work.begun).toHaveLength(room + 1);
  });

  it('never begin with what waited too long, and have room for others to wait then', async () => {
    const { run, work } = begin({ maxPending: 1, blockTimeoutMs: 1_000, sendTimeoutMs: 60_000 });
    const first = emitMany(run.tracker, 2);
    await run.clock.advance(999);
    expect(first.over.size).toBe(0);
    await run.clock.advance(1);
    expect([...first.over]).toStrictEqual([[1, 'overflow']]);
    const second = emitMany(run.tracker, 2, 2);
    await turns(1);
    expect([...second.over]).toStrictEqual([[3, 'overflow']]);
    work.gates[0]?.resolve();
    await turns(1);
    expect(work.begun).toStrictEqual(['e00', 'e02']);
  });

  it('give room back when the work fails or takes too long', async () => {
    const { run, work } = begin({ maxPending: 1, processorTimeoutMs: 1_000, sendTimeoutMs: 1_000 });
    run.tracker.emit(nameOf(0));
    work.gates[0]?.reject(new Error('down'));
    await turns(1);
    run.tracker.emit(nameOf(1));
    await run.clock.advance(1_000);
    run.tracker.emit(nameOf(2));
    run.tracker.emit(nameOf(3));
    expect(work.begun).toStrictEqual(['e00', 'e01', 'e02']);
    expect(overflowsOf(run)).toStrictEqual([1, 1]);
  });
});

/** A backend that counts for itself, as those of this package do, what it has taken. */
function counting(send: Backend['send'], dropped: BackendStats['dropped'] = {}): Backend {
  let accepted = 0;
  return {
    send: async (event) => {
      await send(event);
      accepted++;
    },
    stats: () => ({ ...noStats(), accepted, delivered: accepted, dropped }),
  };
}

describe('what a node drops', () => {
  it('is added to the stats of a backend that has its own', async () => {
    const [own, none] = [gated(), gated()];
    const run = record({
      backends: { own: counting(own.begin), none: { send: none.begin } },
      limits: { maxPending: 10, sendTimeoutMs: 200 },
    });
    for (let n = 0; n < 50; n++) {
      run.tracker.emit(nameOf(n));
    }
    await run.clock.advance(200);
    for (const path of ['own', 'none']) {
      expect(run.tracker.stats().backends[path]).toMatchObject({
        accepted: 0,
        dropped: { overflow: 40, timeout: 10 },
      });
    }
    // And the same again once it works.
    for (let n = 50; n < 53; n++) {
      run.tracker.emit(nameOf(n));
      own.gates.at(-1)?.resolve();
      none.gates.at(-1)?.resolve();
    }
    await turns(1);
    for (const path of ['own', 'none']) {
      expect(run.tracker.stats().backends[path]).toMatchObject({
        accepted: 3,
        dropped: { overflow: 40, timeout: 10 },
      });
    }
  });

  it('is shown by Prometheus', async () => {
    const run = record({ backends: { own: counting(gated().begin) }, limits: { maxPending: 1 } });
    const register = new Registry();
    trackingMetrics({ tracker: run.tracker, register });
    run.tracker.emit('a');
    run.tracker.emit('b');
    run.tracker.emit('c');
    expect(await register.metrics()).toContain(
      'tracking_backend_dropped_total{backend="own",reason="overflow"} 2',
    );
  });

  it('is added to what the backend dropped itself, for the same reason and for others', () => {
    const run = record({
      backends: { own: counting(gated().begin, { overflow: 2, expired: 5 }) },
      limits: { maxPending: 1 },
    });
    for (let n = 0; n < 4; n++) {
      run.tracker.emit(nameOf(n));
    }
    expect(run.tracker.stats().backends['own']?.dropped).toStrictEqual({ overflow: 5, expired: 5 });
    // Reading changes nothing.
    expect(run.tracker.stats().backends['own']?.dropped).toStrictEqual({ overflow: 5, expired: 5 });
  });

  it('is added when an event comes after its backend was closed', async () => {
    const gate = deferred();
    const run = record({
      processors: [() => gate.promise],
      backends: { own: counting(() => undefined) },
    });
    const emitted = run.tracker.emitAsync('a');
    const closed = run.tracker.close({ timeoutMs: 1_000 });
    await run.clock.advance(1_000);
    await closed;
    gate.resolve();
    await expect(emitted).resolves.toMatchObject({
      outcomes: { own: { status: 'dropped', reason: 'closed' } },
    });
    expect(run.tracker.stats().backends['own']).toMatchObject({ state: 'closed', dropped: { closed: 1 } });
  });

  it('is one where the backend counts nothing but what it has taken', async () => {
    const run = record({
      backends: {
        own: counting(() => {
          throw new Error('down');
        }),
      },
    });
    await run.tracker.emitAsync('a');
    expect(run.tracker.stats().backends['own']?.dropped).toStrictEqual({ failed: 1 });
  });
});

interface Loss {
  readonly backend: Backend;
  readonly limits?: TrackerOptions['limits'];
  /** What is emitted before. */
  readonly before?: number;
}

const hanging = (): Promise<never> => new Promise(() => undefined);
const tooLarge = (): never => {
  throw new TrackingError('too_large', 'more than 10 bytes');
};
const full = (): Promise<never> => Promise.reject(new TrackingError('overflow', 'no room'));
const down = (): never => {
  throw new Error('down');
};
const elsewhere = { url: 'http://127.0.0.1:9/', batch: { maxDelayMs: 60_000 } };

/** Ways to lose an event at a backend, under the one name that each has. */
const LOSSES: readonly [string, string, () => Loss][] = [
  ['a full node', 'overflow', () => ({ backend: { send: hanging }, limits: { maxPending: 1 }, before: 1 })],
  [
    'a full node, own stats',
    'overflow',
    () => ({ backend: counting(hanging), limits: { maxPending: 1 }, before: 1 }),
  ],
  ['a send that hangs', 'timeout', () => ({ backend: { send: hanging } })],
  ['a send that hangs, own stats', 'timeout', () => ({ backend: counting(hanging) })],
  ['a backend that refuses its size', 'too_large', () => ({ backend: { send: tooLarge } })],
  ['a backend that is full', 'overflow', () => ({ backend: { send: full } })],
  ['a backend that throws', 'failed', () => ({ backend: { send: down } })],
  [
    'a log line that is too long',
    'too_large',
    () => ({ backend: loggerBackend({ logger: { info: () => undefined }, maxBytes: 20 }) }),
  ],
  ['a logger that throws', 'failed', () => ({ backend: loggerBackend({ logger: { info: down } }) })],
  [
    'a logger that rejects',
    'failed',
    () => ({ backend: loggerBackend({ logger: { info: () => Promise.reject(new Error('down')) } }) }),
  ],
  ['a logger that hangs', 'timeout', () => ({ backend: loggerBackend({ logger: { info: hanging } }) })],
  [
    'a full backlog',
    'overflow',
    () => ({
      backend: httpBackend({
        ...elsewhere,
        backlog: memoryBacklog({ maxEvents: 1, overflow: 'dropNewest' }),
      }),
      before: 1,
    }),
  ],
];

describe('a lost event', () => {
  it.each(LOSSES)('has one name in the outcome, the report and the stats: %s', async (_how, reason, make) => {
    const { backend, limits = {}, before = 0 } = make();
    const run = record({ backends: { b: backend }, limits: { blockTimeoutMs: 1, ...limits } });
    for (let n = 0; n < before; n++) {
      run.tracker.emit(nameOf(n));
    }
    const lost = run.tracker.emitAsync('lost');
    await run.clock.advance(30_000);
    await turns();
    const { outcomes } = await lost;
    expect(outcomes['b']).toMatchObject({ reason });
    const codes = run.reports.filter(({ event }) => event?.name === 'lost').map(({ code }) => code);
    expect(codes).toStrictEqual([reason === 'failed' ? 'backend_failed' : reason]);
    const { dropped = {} } = run.tracker.stats().backends['b'] ?? {};
    expect(dropped[reason]).toBe(reason === 'timeout' ? before + 1 : 1);
  });
});
