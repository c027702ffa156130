import assert from 'node:assert/strict';
import type { Backend, BackendHost } from '../core/backend.js';
import type { TrackingEvent } from '../core/event.js';
import type { MaybePromise } from '../core/processor.js';
import { systemClock } from '../core/system-clock.js';
import { within } from './contract-runner.js';
import { exactMismatch } from './mismatch.js';

const STATES: readonly string[] = ['ok', 'retrying', 'paused', 'closed'];

/** One backend under the eyes of one check. */
export class BackendBench {
  private readonly accepted: TrackingEvent[] = [];
  private readonly refusals: string[] = [];

  constructor(
    readonly backend: Backend,
    readonly timeoutMs: number,
    private readonly read: (() => MaybePromise<readonly TrackingEvent[]>) | undefined,
  ) {}

  /** Answers what the backend answered: nothing, if it keeps to its type. */
  attach(): unknown {
    const backend: { attach?(host: BackendHost): unknown } = this.backend;
    return backend.attach?.({
      tracker: 'contract',
      path: 'contract/backend',
      clock: systemClock(),
      report: () => undefined,
    });
  }

  /** Sends events at the same time, and waits until every `send` has settled. */
  async send(events: readonly TrackingEvent[]): Promise<void> {
    await Promise.all(events.map((event) => this.sendOne(event)));
  }

  /** Fails when one of the events was refused that every backend must take. */
  assertNoneRefused(): void {
    assert.deepEqual(this.refusals, [], `send refused an ordinary event: ${String(this.refusals[0])}`);
  }

  async flush(timeoutMs: number): Promise<void> {
    await this.within('flush', () => this.backend.flush?.({ timeoutMs }));
  }

  async close(): Promise<void> {
    await this.within('close', () => this.backend.close?.({ timeoutMs: this.timeoutMs }));
  }

  /** Fails unless exactly the accepted events arrived, each once and unchanged, but for so many that may be missing. */
  async assertArrived(mayBeMissing = 0): Promise<void> {
    if (this.read === undefined) {
      return;
    }
    await this.flush(this.timeoutMs);
    const arrived = await this.within('read', this.read);
    const byId = new Map(arrived.map((event) => [event.id, event]));
    assert.equal(byId.size, arrived.length, `${arrived.length - byId.size} events arrived more than once`);
    let missing = 0;
    for (const event of this.accepted) {
      const copy = byId.get(event.id);
      byId.delete(event.id);
      if (copy === undefined) {
        missing++;
      } else {
        assertEqual(event, copy);
      }
    }
    assert.ok(
      missing <= mayBeMissing,
      `${missing} of ${this.accepted.length} accepted events did not arrive, ${mayBeMissing} are counted as lost`,
    );
    assert.equal(byId.size, 0, `${byId.size} events arrived that nobody sent`);
  }

  /** Fails when the backend's own counts do not add up. Answers how many events they say are lost. */
  assertBalanced(): number {
    const stats = this.backend.stats?.();
    if (stats === undefined) {
      return 0;
    }
    const dropped = Object.values(stats.dropped).reduce((a, b) => a + b, 0);
    const { accepted, delivered, retried, dead, depth, state } = stats;
    const shown = JSON.stringify(stats);
    for (const count of [accepted, delivered, retried, dead, depth, dropped]) {
      assert.ok(Number.isSafeInteger(count) && count >= 0, `stats() holds a count that is none: ${shown}`);
    }
    assert.ok(STATES.includes(state), `stats() has an unknown state: ${shown}`);
    assert.equal(
      delivered + dead + depth,
      accepted,
      `accepted = delivered + dead + depth does not hold: ${shown}`,
    );
    const sent = this.accepted.length + this.refusals.length;
    assert.equal(
      accepted + dropped,
      sent,
      `${sent} events were sent, stats() counts ${accepted} accepted and ${dropped} dropped`,
    );
    return dead + dropped - this.refusals.length;
  }

  within<T>(what: string, work: () => T | PromiseLike<T>): Promise<T> {
    return within(this.timeoutMs, what, work);
  }

  private async sendOne(event: TrackingEvent): Promise<void> {
    let refusal: string | undefined;
    await this.within(`send of ${JSON.stringify(event.name)}`, async () => {
      try {
        await this.backend.send(event);
      } catch (error) {
        refusal = `${JSON.stringify(event.name)}: ${String(error)}`;
      }
    });
    if (refusal === undefined) {
      this.accepted.push(event);
    } else {
      this.refusals.push(refusal);
    }
  }
}

/** Compares what JSON can hold: a store may return another order of keys, but nothing else. */
function assertEqual(sent: TrackingEvent, arrived: TrackingEvent): void {
  const difference = exactMismatch({ ...sent }, { ...arrived }, 'event');
  assert.equal(difference, undefined, `${JSON.stringify(sent.name)} arrived changed: ${String(difference)}`);
}
