import assert from 'node:assert/strict';
import type { TrackingEvent } from '../core/event.js';
import type { MaybePromise } from '../core/processor.js';
import type { Backlog, BacklogHost, Lease, LeaseRequest, Settlement } from '../delivery/backlog.js';
import type { DeadLetterFilter } from '../delivery/dead-letter.js';
import type { EventStamp } from '../delivery/event-stamp.js';
import { memoryBacklog } from '../delivery/memory-backlog.js';
import { steadyTime } from '../delivery/steady-time.js';
import { ordinaryEvents, plainEvent, unusualEvents } from './contract-events.js';
import type { ContractTest, OnEnd } from './contract-suite.js';
import { comparison, contractTests, randomIntegers } from './contract-suite.js';
import { fakeClock } from './fake-clock.js';
import { settlePromises } from './waiting.js';

/** How a backlog is to be made for one test. What is absent is up to the factory. */
export interface ContractBacklogConfig {
  /** Room for so many events, leased ones included. */
  readonly maxEvents?: number;
  readonly overflow?: 'dropOldest' | 'dropNewest' | 'block';
  /** Keeps so many dead letters. */
  readonly maxDeadLetters?: number;
}

export interface BacklogContractOptions {
  /** What the backlog can do when `maxEvents` are in it. Default: all three. */
  readonly overflows?: readonly NonNullable<ContractBacklogConfig['overflow']>[];
  /** A backlog on the same storage, after the first was closed: the next process. Needed where `lasting` is true. */
  readonly reopen?: (closed: Backlog) => MaybePromise<Backlog>;
  /** Takes down what the factory set up; called after `close`. */
  readonly dispose?: (backlog: Backlog) => MaybePromise<void>;
  /** Longest time for one test, in real milliseconds. Default: 10,000. */
  readonly timeoutMs?: number;
}

/**
 * The tests that every backlog must pass: it does what `memoryBacklog()` does. Both get the same calls, drawn at random,
 * and after each of them everything that they return, count and keep is compared.
 *
 * @param factory makes a new backlog on an empty storage, not opened yet, for each test
 */
export function backlogContract(
  factory: (config: ContractBacklogConfig) => MaybePromise<Backlog>,
  options: BacklogContractOptions = {},
): ContractTest[] {
  const { overflows = ['dropOldest', 'dropNewest', 'block'], reopen, dispose, timeoutMs = 10_000 } = options;
  const checks: Record<string, Setting> = {
    'does what memoryBacklog() does': {},
    'does what memoryBacklog() does with partitions': { isPartitioned: true },
  };
  for (const overflow of overflows) {
    const bounds = { maxEvents: 8, overflow };
    checks[`does what memoryBacklog() does when it is full: ${overflow}`] = { bounds };
    checks[`does what memoryBacklog() does when many come at once: ${overflow}`] = { bounds, isBurst: true };
  }
  if (reopen !== undefined) {
    checks['keeps for the next process what was not delivered'] = { reopen };
  }
  const perform = async (setting: Setting, onEnd: OnEnd): Promise<void> => {
    const made = async (backlog: MaybePromise<Backlog>): Promise<Backlog> => {
      const opened = await backlog;
      onEnd(() => opened.close().catch(() => undefined));
      onEnd(() => dispose?.(opened));
      return opened;
    };
    const first = await made(factory({ ...setting.bounds, maxDeadLetters: MAX_DEAD_LETTERS }));
    const { reopen: again } = setting;
    await (again === undefined ? compare(first, setting) : assertKept(first, () => made(again(first))));
  };
  return contractTests(checks, perform, timeoutMs);
}

interface Setting {
  readonly bounds?: ContractBacklogConfig;
  readonly isPartitioned?: boolean;
  /** More events at once than there is room for; without a stamp, which those that are given up at once may have. */
  readonly isBurst?: boolean;
  readonly reopen?: BacklogContractOptions['reopen'];
}

const MAX_DEAD_LETTERS = 4;
/** Everything there is, now. */
const ALL: LeaseRequest = { maxEvents: 1_000, maxBytes: 2 ** 26, maxDelayMs: 0 };
const FULL_BATCH: LeaseRequest = { maxEvents: 5, maxBytes: 2 ** 20, maxDelayMs: Number.MAX_SAFE_INTEGER };

/** The number of `ordinaryEvents` is odd or even. */
const partitionOf = ({ data }: TrackingEvent): string => (Number(data['number']) % 2 === 0 ? 'even' : 'odd');

/** A stamp that numbers events from 1. */
function numbering(): EventStamp {
  let last = 0;
  return {
    put: (event) => ({ ...event, context: { ...event.context, place: ++last } }),
    takeBack: ({ length }) => {
      last -= length;
    },
  };
}

/** A backlog that is open, and what was done with it. */
class OpenBacklog {
  readonly leases: Lease[] = [];
  readonly marks: number[] = [];
  readonly lost: string[] = [];
  /** With how many of their events were accepted, or nothing where they still wait for room. */
  readonly appends: { readonly settled: Promise<void>; accepted?: number }[] = [];
  /** How often it reported that there is something new to lease. */
  reports = 0;

  constructor(
    readonly backlog: Backlog,
    host: Pick<BacklogHost, 'clock' | 'partitionOf' | 'stamp'>,
    private readonly events: readonly TrackingEvent[],
  ) {
    const opened: unknown = (backlog as { open(host: BacklogHost): unknown }).open({
      ...{ tracker: 'contract', path: 'contract/backlog', report: () => undefined },
      ...{ batch: FULL_BATCH, blockTimeoutMs: 1_000, time: steadyTime(host.clock) },
      lost: (gone, { reason }) => this.lost.push(...gone.map(({ id }) => `${reason} ${id}`)),
      ...host,
    });
    assert.equal(opened, undefined, 'open returned something');
    backlog.onAvailable(() => {
      this.reports++;
    });
  }

  async append(from: number, to: number, wait = false): Promise<void> {
    const store = async (): Promise<void> => {
      append.accepted = await this.backlog.append(this.events.slice(from, to), wait);
    };
    const append: OpenBacklog['appends'][number] = { settled: Promise.resolve().then(store) };
    this.appends.push(append);
    await (wait ? undefined : append.settled);
    this.marks.push(this.backlog.mark());
  }

  /** Leases, several times at once, and returns what the leases hold. */
  async lease(...requests: readonly LeaseRequest[]): Promise<object[][]> {
    const found = await Promise.all(requests.map((request) => this.backlog.lease(request)));
    const leases = found.filter((lease) => lease !== undefined);
    assert.equal(new Set(leases.map(({ token }) => token)).size, leases.length, 'two leases have one token');
    this.leases.push(...leases);
    return leases.map(({ partition, events }) =>
      events.map((leased) => {
        const json = JSON.stringify(leased.event);
        const written = Buffer.alloc(leased.bytes + 2, '.');
        leased.writeJson(written, 1);
        assert.deepEqual([written.toString(), leased.id], [`.${json}.`, leased.event.id]);
        return { json, acceptedAt: leased.acceptedAt, attempts: leased.attempts++, partition };
      }),
    );
  }

  /** Settles events of a lease, from one of them on, two for each outcome. */
  async settle(nth: number, from: number, outcomes: readonly Settlement['outcome'][]): Promise<void> {
    const lease = this.leases[nth];
    const two = (at: number): Settlement['events'] => lease?.events.slice(from + 2 * at).slice(0, 2) ?? [];
    await lease?.settle(outcomes.map((outcome, at) => ({ events: two(at), outcome })));
  }

  changeLease(nth: number, method: 'release' | 'renew', ms: number): unknown {
    return this.leases[nth]?.[method](ms);
  }

  replay(filter?: DeadLetterFilter): Promise<number> {
    return this.backlog.replay(filter);
  }

  async letters(filter?: DeadLetterFilter): Promise<object[]> {
    const letters: object[] = [];
    for await (const { event, ...cause } of this.backlog.deadLetters(filter)) {
      letters.push({ ...cause, event: JSON.stringify(event) });
    }
    return letters;
  }

  async close(): Promise<void> {
    await Promise.all([this.backlog.close(), this.backlog.close()]);
  }

  availableIn(): (number | undefined)[] {
    return [ALL, FULL_BATCH].map((request) => this.backlog.availableIn(request));
  }

  /** What can be seen at any time. */
  view(): object {
    return {
      stats: { ...this.backlog.stats() },
      availableIn: this.availableIn(),
      lost: [...this.lost],
      settled: this.marks.map((mark) => this.backlog.isSettled(mark)),
      accepted: this.appends.map(({ accepted }) => accepted),
    };
  }
}

/** Makes the same calls to a backlog and to one in memory, drawn at random. */
async function compare(backlog: Backlog, setting: Setting): Promise<void> {
  const { bounds = {}, isPartitioned = false, isBurst = false } = setting;
  const clock = fakeClock();
  const ordinary = ordinaryEvents(2_000);
  const events = [...ordinary, plainEvent(), ...unusualEvents()];
  const open = (each: Backlog): OpenBacklog => {
    const parts = { ...(isPartitioned ? { partitionOf } : {}), ...(isBurst ? {} : { stamp: numbering() }) };
    return new OpenBacklog(each, { clock, ...parts }, events);
  };
  const model = open(memoryBacklog({ ...bounds, deadLetters: { maxEvents: MAX_DEAD_LETTERS } }));
  const compared = comparison(open(backlog), model, async (one, call) => {
    const { reports } = one;
    const before = one.availableIn();
    const returned = await call();
    await settlePromises();
    const stored = one.appends.filter((_, nth) => model.appends[nth]?.accepted !== undefined);
    await Promise.all(stored.map(({ settled }) => settled));
    const isNew = one.availableIn().some((ms, at) => ms === 0 && before[at] !== 0);
    return { returned, ...one.view(), isReported: one.reports > reports || !isNew };
  });

  const below = randomIntegers();
  const anyOf = <T>(...values: readonly T[]): T => values[below(values.length)] as T;
  let last = 0;
  const next = (count: number): [from: number, to: number] => [last, (last += count)];
  const lease = (): number => below(model.leases.length);
  const answer = { reason: 'rejected', status: 422, body: 'é' };
  const outcome = (): unknown => anyOf<unknown>('delivered', { reason: 'expired' }, answer);
  const filter = (): object => {
    const [from, ids] = [clock.now() - below(500), [1, 2, 3].map(() => events[below(last)]?.id)];
    const name = anyOf('order.created', 'other');
    return anyOf<object>({}, { reason: 'expired' }, { from }, { to: from }, { name }, { ids });
  };
  const request = (): object => ({
    ...{ maxEvents: 1 + below(6), maxBytes: anyOf(1, 500, 2 ** 20), maxDelayMs: anyOf(0, 300) },
    ...(isPartitioned ? anyOf<object>({}, { partition: 'odd' }, { partition: 'none' }) : {}),
  });
  const most = isBurst ? 12 : bounds.overflow === 'dropOldest' ? 1 : 6;
  const calls: readonly (() => [method: keyof OpenBacklog, ...args: unknown[]])[] = [
    () => ['append', ...next(1 + below(most))],
    () => ['append', ...next(1), true],
    () => ['lease', request()],
    () => ['lease', request(), request()],
    () => ['settle', lease(), below(4), [outcome(), outcome()]],
    () => ['changeLease', lease(), anyOf('release', 'release', 'renew'), anyOf(0, 200)],
    () => ['letters', filter()],
    () => ['replay', filter()],
  ];
  for (let n = 0; n < 300; n++) {
    await clock.advance(anyOf(0, 0, below(400)));
    await compared(...anyOf(...calls)());
  }
  for (let unusual = ordinary.length; unusual < events.length; unusual++) {
    await compared('append', unusual, unusual + 1);
    await compared('lease', ALL);
  }
  await compared('close');
  await compared('append', 0, 1);
  await compared('append', 0, 1, true);
  await compared('lease', ALL);
}

async function assertKept(backlog: Backlog, next: () => Promise<Backlog>): Promise<void> {
  assert.equal(backlog.lasting, true);
  const clock = fakeClock();
  const before = new OpenBacklog(backlog, { clock }, [...ordinaryEvents(6), ...unusualEvents()]);
  await before.append(0, 100);
  const [leased = []] = await before.lease(ALL);
  await before.settle(0, 0, ['delivered', { reason: 'rejected', status: 400, body: 'no' }]);
  const letters = await before.letters();
  await clock.advance(5_000);
  await before.close();
  const after = new OpenBacklog(await next(), { clock }, []);
  const { accepted, delivered, dead, depth, oldestMs } = after.backlog.stats();
  assert.deepEqual([accepted - dead, delivered, depth, oldestMs], [depth, 0, leased.length - 4, 5_000]);
  assert.deepEqual(await after.letters(), letters);
  assert.deepEqual(await after.lease(ALL), [leased.slice(4)]);
  assert.equal(await after.replay(), 2);
  const replayed = leased.slice(2, 4).map((one) => ({ ...one, acceptedAt: clock.now() }));
  assert.deepEqual(await after.lease(ALL), [replayed]);
}
