import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { memoryMetricsStore } from '../../../lib/core.js';
import type { Backend, MetricsStore, TrackingEvent } from '../../../lib/core.js';
import type { Backlog, BacklogHost, Lease, LeasedEvent } from '../../../lib/delivery/backlog.js';
import type { Counter } from '../../../lib/metrics/metrics-store.js';
import { memoryBacklog } from '../../../lib/delivery/memory-backlog.js';
import type { BacklogContractOptions, ContractTest } from '../../../lib/testing.js';
import {
  backendContract,
  backlogContract,
  memoryBackend,
  metricsStoreContract,
} from '../../../lib/testing.js';
import { root } from '../../support/prepare.mjs';
import { RUN_TYPESCRIPT } from '../../support/run-typescript.js';

/** The name of the first test that fails, and why. */
async function firstFailure(tests: readonly ContractTest[]): Promise<string | undefined> {
  for (const { name, run } of tests) {
    try {
      await run();
    } catch (error) {
      return `${name}: ${(error as Error).message}`;
    }
  }
  return undefined;
}

/** The same object, with some methods of its own. */
function changed<T extends object>(object: T, change: (right: T) => Partial<T>): T {
  const changes = change(object);
  return new Proxy(object, {
    get: (target, key) => {
      const member: unknown = Reflect.get(key in changes ? changes : target, key);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

/** Nothing right takes so long, on however busy a machine. */
const PLENTY_MS = 15_000;
/** What never settles is not worth waiting for. */
const SHORT_MS = 100;

const never = (): Promise<never> => new Promise(() => undefined);

describe('backendContract', () => {
  const stats = {
    accepted: 0,
    delivered: 0,
    retried: 0,
    dead: 0,
    dropped: {},
    depth: 0,
    state: 'ok',
  } as const;
  const failureOf = (change: (right: Backend) => Partial<Backend>, timeoutMs = PLENTY_MS) => {
    const stores = new Map<Backend, readonly TrackingEvent[]>();
    const tests = backendContract<Backend>(
      () => {
        const memory = memoryBackend();
        const backend = changed<Backend>(memory, change);
        stores.set(backend, memory.events);
        return backend;
      },
      { read: (backend) => stores.get(backend)!, timeoutMs },
    );
    return firstFailure(tests);
  };
  const sendInstead = (of: (event: TrackingEvent) => readonly TrackingEvent[]) => (right: Backend) => ({
    send: (event: TrackingEvent) => {
      of(event).forEach((each) => void right.send(each));
    },
  });

  it('lets a right one pass', async () => {
    expect(await failureOf(() => ({}))).toBeUndefined();
  });

  let sent = 0;
  it.each<[string, RegExp, (right: Backend) => Partial<Backend>]>([
    [
      'waits in attach',
      /^delivers .* attach returned something/s,
      () => ({ attach: () => never() as never }),
    ],
    ['loses events', /^delivers .* did not arrive/, sendInstead((e) => (sent++ % 9 === 7 ? [] : [e]))],
    ['delivers twice', /^delivers .* more than once/s, sendInstead((event) => [event, event])],
    ['changes a value', /^delivers .* changed: event\.data\.total is 1/, sendInstead(withTotal)],
    [
      'adds a key',
      /^delivers .* changed: the sent event\.more is/,
      sendInstead((e) => [{ ...e, more: 1 } as never]),
    ],
    ['loses a key', /^delivers .* event\.timestamp is undefined/, sendInstead(withoutTimestamp)],
    [
      'refuses',
      /^serves a tracker: the outcome is .*failed/,
      () => ({ send: () => Promise.reject(new Error('no')) }),
    ],
    ['alters events', /^carries .* changed an event that other backends share/s, alteringEvents],
    ['refuses unusual ones without a count', /^carries .* not all/s, refusingLargeOnes],
    ['closes only once', /^keeps .* closed before/, closingOnce],
    ['miscounts', /^carries .* accepted and dropped are not all/s, () => ({ stats: () => stats })],
    ['counts nonsense', /^carries .* a count is not one/s, () => ({ stats: () => ({ ...stats, dead: -1 }) })],
    [
      'has no such state',
      /^carries .* state is unknown/s,
      () => ({ stats: () => ({ ...stats, state: 'x' as 'ok' }) }),
    ],
  ])('fails one that %s', async (_, message, change) => {
    expect(await failureOf(change)).toMatch(message);
  });

  it.each<[string, Partial<Backend>]>([
    ['settles a send', { send: never }],
    ['flushes', { flush: never }],
    ['closes', { close: never }],
  ])('fails one that never %s', async (_, changes) => {
    expect(await failureOf(() => changes, SHORT_MS)).toMatch(/did not settle within 100 ms/);
  });

  function withTotal(event: TrackingEvent) {
    return [{ ...event, data: { ...event.data, total: 1 } }];
  }

  function withoutTimestamp(event: TrackingEvent) {
    return [{ ...event, timestamp: undefined as never }];
  }

  function alteringEvents(right: Backend) {
    return {
      send: (event: TrackingEvent) => {
        if (!Object.isFrozen(event)) {
          (event.data as Record<string, unknown>)['seen'] = true;
        }
        return right.send(event);
      },
    };
  }

  function refusingLargeOnes(right: Backend) {
    let accepted = 0;
    return {
      send: (event: TrackingEvent) => {
        if (JSON.stringify(event).length > 100_000) {
          throw new RangeError('500 KiB');
        }
        accepted++;
        return right.send(event);
      },
      stats: () => ({ ...stats, accepted, delivered: accepted }),
    };
  }

  function closingOnce() {
    let closed = false;
    return {
      close: () => {
        const again = closed;
        closed = true;
        return again ? Promise.reject(new Error('closed before')) : Promise.resolve();
      },
    };
  }

  // In a process of its own: Jest keeps rejections that nobody handles to itself.
  it('fails one that leaves a rejection to nobody', async () => {
    const program = `
      import { backendContract, memoryBackend } from './lib/testing.js';
      const send = () => void Promise.reject(new Error('left'));
      const [{ run }] = backendContract(() => ({ ...memoryBackend(), send }));
      await run().catch(({ message }) => console.log(message.split('\\n')[0]));
    `;
    const args = [...RUN_TYPESCRIPT, '--input-type=module', '-e', program];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
    expect(stdout).toBe('nobody handles a rejection: Error: left\n');
  });
});

describe('backlogContract', () => {
  const testsOf = (
    change: (right: Backlog) => Partial<Backlog>,
    options: BacklogContractOptions = { timeoutMs: PLENTY_MS },
  ) =>
    backlogContract(
      ({ maxDeadLetters = 1, ...bounds }) =>
        changed(memoryBacklog({ ...bounds, deadLetters: { maxEvents: maxDeadLetters } }), change),
      options,
    );
  const withHost = (change: (right: BacklogHost) => Partial<BacklogHost>) => (right: Backlog) => ({
    open: (host: BacklogHost) => {
      right.open({ ...host, ...change(host) });
    },
  });
  const withLease = (change: (right: Lease) => Partial<Lease>) => (right: Backlog) => ({
    lease: async (...args: Parameters<Backlog['lease']>) => {
      const lease = await right.lease(...args);
      return lease && changed(lease, change);
    },
  });
  const withEvents = (change: (right: LeasedEvent) => Partial<LeasedEvent>) =>
    withLease((right) => ({ events: right.events.map((event) => changed(event, change)) }));

  it('lets a right one pass', async () => {
    expect(await firstFailure(testsOf(() => ({})))).toBeUndefined();
  });

  it.each<[string, RegExp, (right: Backlog) => Partial<Backlog>]>([
    [
      'loses an event',
      /accepted/,
      (b) => ({ append: async (events) => (await b.append(events.slice(1))) + 1 }),
    ],
    ['leases another order', /json/, withLease((lease) => ({ events: lease.events.slice().reverse() }))],
    ['leases too many', /json/, (b) => ({ lease: (r) => b.lease({ ...r, maxEvents: r.maxEvents + 1 }) })],
    ['leases too large a batch', /json/, (b) => ({ lease: (r) => b.lease({ ...r, maxBytes: 2 ** 26 }) })],
    ['lets no batch fill up', /json/, (b) => ({ lease: (r) => b.lease({ ...r, maxDelayMs: 0 }) })],
    ['leases nothing', /json/, () => ({ lease: () => Promise.resolve(undefined) })],
    ['settles nothing', /delivered|dead/, withLease(() => ({ settle: () => undefined }))],
    ['gives nothing back', /availableIn|json/, withLease(() => ({ release: () => undefined }))],
    ['renews what is lost', /returned/, withLease(() => ({ renew: () => true }))],
    [
      'writes another JSON',
      /\.\{"id":/,
      withEvents((event) => ({
        writeJson: (to, at) => {
          event.writeJson(to, at - 1);
        },
      })),
    ],
    ['knows another id', /-/, withEvents(({ id }) => ({ id: `${id}-` }))],
    ['gives two leases one token', /two leases have one token/, withLease(() => ({ token: 'one' }))],
    [
      'miscounts',
      /delivered/,
      (b) => ({ stats: () => ({ ...b.stats(), delivered: b.stats().delivered + 1 }) }),
    ],
    ['has no age', /oldestMs/, (b) => ({ stats: () => ({ ...b.stats(), oldestMs: 0 }) })],
    ['finds everything settled', /settled/, () => ({ isSettled: () => true })],
    ['never reports', /isReported/, () => ({ onAvailable: () => undefined })],
    [
      'is ready too soon',
      /availableIn/,
      (b) => ({ availableIn: (r) => b.availableIn({ ...r, maxDelayMs: 0 }) }),
    ],
    ['filters no letters', /letters\(\{"/, (b) => ({ deadLetters: () => b.deadLetters() })],
    ['replays too many', /replay\(\{"/, (b) => ({ replay: () => b.replay() })],
    ['waits for nobody', /full: block/, (b) => ({ append: (events) => b.append(events) })],
    ['knows no partitions', /partitions/, withHost(() => ({ partitionOf: undefined as never }))],
    ['stamps nothing', /bytes/, withHost(() => ({ stamp: undefined as never }))],
    ['leaves gaps', /place/, withHost(({ stamp }) => ({ stamp: { ...stamp!, takeBack: () => undefined } }))],
    ['reports no loss', /full: dropOldest.*lost/s, withHost(() => ({ lost: () => undefined }))],
    ['is open after its end', /close\(\)/, () => ({ close: () => Promise.resolve() })],
  ])('fails one that %s', async (_, message, change) => {
    expect(await firstFailure(testsOf(change))).toMatch(message);
  });

  it('fails one that never leases', async () => {
    const tests = testsOf(() => ({ lease: never }), { timeoutMs: SHORT_MS });
    expect(await firstFailure(tests)).toMatch(/did not settle within 100 ms/);
  });

  it.each([true, false])('fails one that does not last, and says %p', async (lasting) => {
    const reopen = () => memoryBacklog();
    const tests = testsOf(() => ({ lasting }), { timeoutMs: PLENTY_MS, reopen });
    expect(await firstFailure(tests.slice(-1))).toMatch(/^keeps for the next process/);
  });
});

describe('metricsStoreContract', () => {
  const failureOf = (change: (right: MetricsStore) => Partial<MetricsStore>, timeoutMs = PLENTY_MS) =>
    firstFailure(metricsStoreContract(() => changed(memoryMetricsStore(), change), { timeoutMs }));

  it.each<[string, Partial<MetricsStore>]>([
    ['counts', { increment: never }],
    ['closes', { close: never }],
  ])('fails one that never %s', async (_, changes) => {
    expect(await failureOf(() => changes, SHORT_MS)).toMatch(/did not settle within 100 ms/);
  });

  it.each<[string, RegExp, (right: MetricsStore) => Partial<MetricsStore>]>([
    ['counts nothing', /increment/, () => ({ increment: (c) => Promise.resolve(c.map(() => 0)) })],
    ['mixes up totals', /totals/, (s) => ({ totals: async (c) => [...(await s.totals(c))].reverse() })],
    ['sets nothing', /^does/, () => ({ set: () => Promise.resolve() })],
    [
      'finds too few days',
      /counts|seriesMany/,
      (s) => ({ days: (c, { to }) => s.days(c, { ...(to && { to: to - 1 }) }) }),
    ],
    ['keeps no hours', /seriesMany/, () => ({ hours: (c) => Promise.resolve(c.map(() => [])) })],
    ['counts members of all days', /uniques/, (s) => ({ countMembers: (u) => s.countMembers(u, {}) })],
    [
      'mixes up members',
      /uniques/,
      (s) => ({ countMembers: ({ metric }, d) => s.countMembers({ metric }, d) }),
    ],
    ['ignores times', /facts/, (s) => ({ facts: (key) => s.facts(key, {}) })],
    [
      'overlooks facts',
      /factsOf/,
      (s) => ({ factsOf: async (k, t) => new Map([...(await s.factsOf(k, t))].slice(1)) }),
    ],
    ['clears too much', /clear/, (s) => ({ clear: () => s.clear({}) })],
    ['clears nothing', /clear/, () => ({ clear: () => Promise.resolve() })],
    ['prunes what is kept', /retention/, (s) => ({ prune: () => s.prune({ hours: 1e6, days: 1e6 }) })],
    ['ignores upper case', /^never mixes up names/, ignoringCase],
    ['writes in part', /^does .*cents/s, writingInPart],
    ['forgets what comes meanwhile', /^loses nothing/, forgetting],
    [
      'counts few members',
      /^counts 1,000 .* counted 1000/,
      (s) => ({ countMembers: async (u, d) => Math.min(1_000, await s.countMembers(u, d)) }),
    ],
  ])('fails one that %s', async (_, message, change) => {
    expect(await failureOf(change)).toMatch(message);
  });

  function ignoringCase(right: MetricsStore): Partial<MetricsStore> {
    const lower = <T extends Counter>(counter: T): T => ({
      ...counter,
      subject: counter.subject.toLowerCase(),
    });
    return {
      increment: (changes, options) => right.increment(changes.map(lower), options),
      totals: (counters) => right.totals(counters.map(lower)),
    };
  }

  function writingInPart(right: MetricsStore): Partial<MetricsStore> {
    return {
      increment: async (changes, options) => {
        const totals: number[] = [];
        for (const change of changes) {
          totals.push(...(await right.increment([change], options)));
        }
        return totals;
      },
    };
  }

  function forgetting(right: MetricsStore): Partial<MetricsStore> {
    let isBusy = false;
    return {
      increment: async (changes, options) => {
        if (isBusy) {
          return changes.map(() => 1);
        }
        isBusy = true;
        await Promise.resolve();
        isBusy = false;
        return right.increment(changes, options);
      },
    };
  }
});
