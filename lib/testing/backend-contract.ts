import assert from 'node:assert/strict';
import type { Backend, BackendHost } from '../core/backend.js';
import { createTracker } from '../core/create-tracker.js';
import type { TrackingEvent } from '../core/event.js';
import type { MaybePromise } from '../core/processor.js';
import { systemClock } from '../core/system-clock.js';
import { ordinaryEvents, plainEvent, unusualEvents } from './contract-events.js';
import type { ContractTest } from './contract-suite.js';
import { contractTests } from './contract-suite.js';
import { mismatch } from './matchers.js';
import { within } from './waiting.js';

export interface BackendContractOptions<B extends Backend> {
  /**
   * What has arrived where the backend delivers to, in any order; called after a `flush`. Without it, the suite cannot
   * see what was delivered, only that sends settle.
   */
  readonly read?: (backend: B) => MaybePromise<readonly TrackingEvent[]>;
  /** Takes down what the factory set up; called after `close`. */
  readonly dispose?: (backend: B) => MaybePromise<void>;
  /** Longest time for one call of the backend, in real milliseconds. Default: 2,000. */
  readonly timeoutMs?: number;
}

/**
 * The tests that every backend must pass: sends settle, events arrive once and unchanged, also large and unusual ones,
 * `flush` and `close` keep their time, counts add up, nothing crashes the process.
 *
 * @param factory makes a new backend, not attached yet, for each test
 *
 * @example
 * for (const { name, run } of backendContract(() => new MyBackend(), { read: ({ rows }) => rows })) it(name, run);
 */
export function backendContract<B extends Backend>(
  factory: () => MaybePromise<B>,
  options: BackendContractOptions<B> = {},
): ContractTest[] {
  const { read, dispose, timeoutMs = 2_000 } = options;
  return contractTests(CHECKS, async (check, onEnd) => {
    const backend = await factory();
    const harness = new BackendHarness(backend, timeoutMs, read && (async () => read(backend)));
    // Whether `close` works is a test of its own.
    onEnd(() => harness.close().catch(() => undefined));
    onEnd(() => dispose?.(backend));
    if (check !== servesTracker) {
      harness.attach();
    }
    await check(harness);
  });
}

/** One backend, and what was sent to it. */
class BackendHarness {
  private readonly accepted: TrackingEvent[] = [];
  readonly refusals: string[] = [];

  constructor(
    readonly backend: Backend,
    readonly timeoutMs: number,
    private readonly read: (() => Promise<readonly TrackingEvent[]>) | undefined,
  ) {}

  attach(): void {
    const { backend }: { backend: { attach?(host: BackendHost): unknown } } = this;
    const place = { tracker: 'contract', path: 'contract/backend' };
    const returned = backend.attach?.({ ...place, clock: systemClock(), report: () => undefined });
    assert.equal(returned, undefined, 'attach returned something');
  }

  /** Sends events at the same time, and waits until every `send` has settled. */
  async send(events: readonly TrackingEvent[]): Promise<void> {
    const sendOne = async (event: TrackingEvent): Promise<void> => {
      try {
        await this.backend.send(event);
        this.accepted.push(event);
      } catch (error) {
        this.refusals.push(`${event.name}: ${String(error)}`);
      }
    };
    await Promise.all(events.map((event) => this.within(`send of ${event.name}`, () => sendOne(event))));
  }

  async flush(timeoutMs = this.timeoutMs): Promise<void> {
    await this.within('flush', () => this.backend.flush?.({ timeoutMs }));
  }

  async close(): Promise<void> {
    await this.within('close', () => this.backend.close?.({ timeoutMs: this.timeoutMs }));
  }

  /** Fails unless the accepted events arrived, each once and unchanged, and no others; so many may be missing. */
  async assertArrived(mayBeMissing = 0): Promise<void> {
    await this.flush();
    const arrived = await this.within('read', () => this.read?.());
    if (arrived === undefined) {
      return;
    }
    const byId = new Map(arrived.map((event) => [event.id, event]));
    assert.equal(arrived.length, byId.size, 'events arrived more than once');
    const missing = this.accepted.filter(({ id }) => !byId.has(id)).length;
    const some = `${missing} of ${this.accepted.length} accepted events`;
    assert.ok(missing <= mayBeMissing, `${some} did not arrive, ${mayBeMissing} are counted as lost`);
    assert.equal(arrived.length + missing, this.accepted.length, 'events arrived that were not accepted');
    for (const event of this.accepted) {
      const [sent, copy] = [{ ...event }, { ...(byId.get(event.id) ?? event) }];
      // Both ways: a copy may have another order of keys, but none more and none less.
      const difference = mismatch(sent, copy, 'event') ?? mismatch(copy, sent, 'the sent event');
      assert.ok(difference === undefined, `${event.name} arrived changed: ${String(difference)}`);
    }
  }

  /** Fails when the backend's own counts do not add up. Returns how many events they say are lost. */
  assertBalanced(): number {
    const stats = this.backend.stats?.();
    if (stats === undefined) {
      return 0;
    }
    const { accepted, delivered, retried, dead, depth, state } = stats;
    const dropped = Object.values(stats.dropped).reduce((a, b) => a + b, 0);
    const sent = this.accepted.length + this.refusals.length;
    const shown = `after ${sent} events, stats() are ${JSON.stringify(stats)}`;
    const counts = [accepted, delivered, retried, dead, depth, dropped];
    assert.ok(
      counts.every((count) => Number.isSafeInteger(count) && count >= 0),
      `a count is not one: ${shown}`,
    );
    assert.ok(['ok', 'retrying', 'paused', 'closed'].includes(state), `the state is unknown: ${shown}`);
    assert.equal(delivered + dead + depth, accepted, `accepted is not delivered + dead + depth: ${shown}`);
    assert.equal(accepted + dropped, sent, `accepted and dropped are not all: ${shown}`);
    return dead + dropped - this.refusals.length;
  }

  within<T>(what: string, work: () => MaybePromise<T>): Promise<T> {
    return within(this.timeoutMs, work, () => `${what} did not settle within ${this.timeoutMs} ms`);
  }
}

type Check = (harness: BackendHarness) => Promise<void>;

/** Its tracker attaches the backend; the other checks find it attached. */
const servesTracker: Check = async (harness) => {
  const { backend, timeoutMs } = harness;
  const tracker = createTracker<Record<string, object>>({ backends: { backend }, onError: () => undefined });
  const { outcomes } = await harness.within('emitAsync', () =>
    tracker.emitAsync('order.created', { number: 1 }),
  );
  assert.equal(outcomes['backend']?.status, 'accepted', `the outcome is ${JSON.stringify(outcomes)}`);
  await harness.within('flush', () => tracker.flush({ timeoutMs }));
  const { settled, pending } = await harness.within('close', () => tracker.close({ timeoutMs }));
  assert.ok(settled, `${pending} events were left after close`);
};

const CHECKS: Readonly<Record<string, Check>> = {
  'serves a tracker': servesTracker,

  'delivers each event once, as it was emitted, one by one and many at once': async (harness) => {
    for (const count of [1, 1, 1, 1, 1, 1_000]) {
      await harness.send(ordinaryEvents(count));
      assert.deepEqual(harness.refusals, [], 'send refused an ordinary event');
    }
    await harness.assertArrived();
  },

  'carries unusual events unchanged, or counts them as lost; alters none': async (harness) => {
    const plain = plainEvent();
    const before = JSON.stringify(plain);
    await harness.send([...unusualEvents(), plain]);
    await harness.send(ordinaryEvents(1));
    await harness.flush();
    await harness.assertArrived(harness.assertBalanced());
    assert.equal(JSON.stringify(plain), before, 'the backend changed an event that other backends share');
  },

  'flushes within its time, also several times at once and with nothing to do': async (harness) => {
    await harness.flush(200);
    const sending = harness.send(ordinaryEvents(10));
    await Promise.all([sending, ...[200, 200, 0].map((timeoutMs) => harness.flush(timeoutMs))]);
  },

  'keeps its counts in balance, and closes once, however often it is asked to': async (harness) => {
    harness.assertBalanced();
    await harness.send(ordinaryEvents(10));
    harness.assertBalanced();
    await harness.flush();
    harness.assertBalanced();
    await Promise.all([harness.close(), harness.close()]);
    await harness.close();
    harness.assertBalanced();
  },

  'closes before anything was sent, and settles what is sent afterwards': async (harness) => {
    await harness.close();
    await harness.send(ordinaryEvents(3));
    await harness.flush(200);
  },
};
