import assert from 'node:assert/strict';
import type { TrackingEvent } from '../core/event.js';
import { eventJson } from '../core/event.js';
import type { MaybePromise } from '../core/processor.js';
import type { Backlog, BacklogHost, Lease, LeaseRequest, Settlement } from '../delivery/backlog.js';
import type { DeadLetter, DeadLetterFilter, DeathCause } from '../delivery/dead-letter.js';
import { steadyTime } from '../delivery/steady-time.js';
import { within } from './contract-runner.js';
import { ordinaryEvents } from './contract-events.js';
import type { FakeClock } from './fake-clock.js';
import { fakeClock } from './fake-clock.js';

/** How a backlog is to be made for one test. What is absent is up to the factory. */
export interface ContractBacklogConfig {
  /** Room for so many events, leased ones included. */
  readonly maxEvents?: number;
  readonly overflow?: 'dropOldest' | 'dropNewest' | 'block';
  /** Keeps so many dead letters. */
  readonly maxDeadLetters?: number;
}

/** What only some hosts bring. */
export type HostParts = Pick<BacklogHost, 'partitionOf' | 'stamp'>;

export type Pair<T = TrackingEvent> = [T, T];

/** Everything there is, now. */
export const ALL: LeaseRequest = {
  maxEvents: 1_000,
  maxBytes: 64 * 1024 * 1024,
  maxDelayMs: 0,
};

export const BLOCK_TIMEOUT_MS = 5_000;

/** One backlog under the eyes of one check. */
export class BacklogBench {
  readonly clock: FakeClock = fakeClock();
  readonly made: Backlog[] = [];
  readonly lost: [id: string, cause: DeathCause][] = [];
  readonly batch = { maxEvents: 100, maxBytes: 1024 * 1024 };
  told = 0;

  constructor(
    private readonly factory: (config: ContractBacklogConfig) => MaybePromise<Backlog>,
    private readonly reopenOn: ((closed: Backlog) => MaybePromise<Backlog>) | undefined,
    readonly timeoutMs: number,
  ) {}

  get backlog(): Backlog {
    const backlog = this.made.at(-1);
    assert.ok(backlog, 'the check has not opened a backlog');
    return backlog;
  }

  async open(config: ContractBacklogConfig = {}, host: HostParts = {}): Promise<void> {
    this.use(await this.factory(config), host);
  }

  /** The next process on the same storage. */
  async reopen(): Promise<void> {
    const closed = this.backlog;
    await this.within('close', () => closed.close());
    assert.ok(this.reopenOn);
    this.use(await this.reopenOn(closed));
  }

  /** New events, all of them accepted. */
  async append(count: number): Promise<TrackingEvent[]> {
    const events = ordinaryEvents(count);
    assert.equal(await this.offer(events), count, 'append refused ordinary events although there is room');
    return events;
  }

  offer(events: readonly TrackingEvent[], wait?: boolean): Promise<number> {
    return this.within('append', () => this.backlog.append(events, wait));
  }

  tryLease(request: Partial<LeaseRequest> = {}): Promise<Lease | undefined> {
    return this.within('lease', () => this.backlog.lease({ ...ALL, ...request }));
  }

  async lease(request: Partial<LeaseRequest> = {}): Promise<Lease> {
    const lease = await this.tryLease(request);
    assert.ok(lease, 'lease answered nothing although events wait');
    return lease;
  }

  async settle(
    lease: Lease,
    outcome: Settlement['outcome'],
    events: Lease['events'] = lease.events,
  ): Promise<void> {
    await this.within('settle', () => lease.settle([{ events, outcome }]));
  }

  async letters(filter?: DeadLetterFilter): Promise<DeadLetter[]> {
    const letters: DeadLetter[] = [];
    await this.within('deadLetters', async () => {
      for await (const letter of this.backlog.deadLetters(filter)) {
        letters.push(letter);
      }
    });
    return letters;
  }

  replay(filter?: DeadLetterFilter): Promise<number> {
    return this.within('replay', () => this.backlog.replay(filter));
  }

  /** Fails unless the counts are these, and add up. */
  assertCounts(expected: Partial<Record<'accepted' | 'delivered' | 'dead', number>>): void {
    const { accepted, delivered, dead, depth, bytes } = this.backlog.stats();
    const shown = JSON.stringify(this.backlog.stats());
    assert.equal(
      delivered + dead + depth,
      accepted,
      `accepted = delivered + dead + depth does not hold: ${shown}`,
    );
    assert.ok(depth > 0 ? bytes > 0 : bytes === 0, `bytes does not fit depth: ${shown}`);
    assert.deepEqual({ accepted, delivered, dead, ...expected }, { accepted, delivered, dead }, shown);
  }

  within<T>(what: string, work: () => T | PromiseLike<T>): Promise<T> {
    return within(this.timeoutMs, what, work);
  }

  private use(backlog: Backlog, parts: HostParts = {}): void {
    this.made.push(backlog);
    const host: BacklogHost = {
      tracker: 'contract',
      path: 'contract/backlog',
      clock: this.clock,
      report: () => undefined,
      time: steadyTime(this.clock),
      batch: this.batch,
      blockTimeoutMs: BLOCK_TIMEOUT_MS,
      ...parts,
      lost: (events, cause) => {
        for (const { id } of events) {
          this.lost.push([id, cause]);
        }
      },
    };
    const opened = (backlog as { open(host: BacklogHost): unknown }).open(host);
    assert.equal(opened, undefined, 'open answered something');
    backlog.onAvailable(() => {
      this.told++;
    });
  }
}

export function idsOf(events: readonly (TrackingEvent | { readonly event: TrackingEvent })[]): string[] {
  return events.map((one) => ('event' in one ? one.event.id : one.id));
}

export function jsonOf(lease: Lease): string[] {
  return lease.events.map(({ event }) => eventJson(event));
}
