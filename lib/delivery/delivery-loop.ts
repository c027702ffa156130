import type { TimeBudget } from '../core/backend.js';
import { TrackingError } from '../core/errors.js';
import type { TrackingEvent } from '../core/event.js';
import { Deadline } from '../core/deadline.js';
import type { MaybePromise } from '../core/processor.js';
import type { BackendStats } from '../core/stats.js';
import { ReasonCounter } from '../core/stats.js';
import { Attempts } from './attempts.js';
import type { Lease, LeaseRequest, Settlement } from './backlog.js';
import type { DeliveryParts } from './delivery-parts.js';
import { DeliveryReporter } from './delivery-reporter.js';
import { Destination } from './destination.js';
import { Lanes } from './lanes.js';
import { LeasePlan } from './lease-plan.js';
import { LostEvents } from './lost-events.js';
import { Recorder } from './recorder.js';
import { SettleWaiters } from './settle-waiters.js';
import { steadyTime } from './steady-time.js';

const DEFAULT_BLOCK_TIMEOUT_MS = 5_000;
const DEFAULT_BUDGET: TimeBudget = { timeoutMs: 8_000 };
/** The part of the time to close that is kept for handing over what is left. */
const HAND_OVER_SHARE = 1 / 4;
const EVERYTHING: LeaseRequest = {
  maxEvents: 1_000,
  maxBytes: Infinity,
  maxDelayMs: 0,
};

/** What its backlog is about to store. */
interface Storing {
  readonly stored: Promise<number>;
  readonly events: TrackingEvent[];
  readonly answer: Promise<void>;
}

/**
 * Delivers what one backend accepts: backlog, batches, attempts, retries, the end.
 *
 * Invariants
 * - accepted = delivered + dead + depth, at every moment.
 * - Nothing that was accepted is lost while the process lives; at its end it lies in a lasting backlog, or has gone to
 *   `onDeadLetter`.
 * - Nothing runs in the async context of whoever emitted.
 */
export class DeliveryLoop<Payload> {
  private readonly lanes: Lanes<Payload>;
  private readonly plan: LeasePlan;
  private readonly destination: Destination;
  private readonly attempts: Attempts<Payload>;
  private readonly reporter: DeliveryReporter;
  private readonly lost: LostEvents;
  private readonly waiters: SettleWaiters;
  private readonly recorder: Recorder;
  private readonly dropped = new ReasonCounter();
  private closing: Promise<void> | undefined;
  private storing: Storing | undefined;

  constructor(private readonly parts: DeliveryParts<Payload>) {
    const { host, backlog, settings, random } = parts;
    const time = steadyTime(host.clock);
    this.reporter = new DeliveryReporter(host);
    this.waiters = new SettleWaiters(host.clock);
    this.lost = new LostEvents(host.path, host.clock, parts.onDeadLetter, (report) => {
      host.report(report);
    });
    this.recorder = new Recorder(host.clock, this.reporter, this.lost, () => {
      this.waiters.settled();
    });
    this.destination = new Destination(
      host.clock,
      time,
      settings,
      random,
      this.reporter,
      parts.partitionOf !== undefined,
    );
    this.attempts = new Attempts(host.clock, parts.encode, parts.transport, settings, this.reporter);
    this.plan = new LeasePlan(host.clock, backlog, settings, this.destination, this.reporter);
    this.lanes = new Lanes(parts, this.plan, this.attempts, this.destination, this.reporter, this.recorder);
    backlog.open({
      ...{ tracker: host.tracker, path: host.path, clock: host.clock, time },
      report: (report) => {
        host.report({ path: host.path, ...report });
      },
      ...(parts.partitionOf === undefined ? {} : { partitionOf: parts.partitionOf }),
      ...(parts.stamp === undefined ? {} : { stamp: parts.stamp }),
      get batch() {
        return settings().batch;
      },
      blockTimeoutMs: host.blockTimeoutMs ?? DEFAULT_BLOCK_TIMEOUT_MS,
      lost: (events, cause) => {
        this.recorder.lost(events, cause);
      },
    });
    backlog.onAvailable(() => {
      this.lanes.wake();
    });
    // A lasting backlog may hold what an earlier process left.
    this.lanes.wake();
  }

  /**
   * Takes responsibility for an event.
   *
   * @throws TrackingError `overflow` when the backlog has no room, `closed` at the end
   */
  accept(event: TrackingEvent, waits: boolean, unheard = false): MaybePromise<void> {
    const accepted = this.parts.backlog.append([event], waits, unheard);
    if (typeof accepted !== 'number') {
      return this.acceptLater(accepted, event);
    }
    if (accepted === 0) {
      throw this.refuse([event]);
    }
    return undefined;
  }

  /** Resolves when everything accepted before is delivered or dead, or the time is up. */
  async flush(budget: TimeBudget = DEFAULT_BUDGET): Promise<void> {
    const { backlog } = this.parts;
    const mark = backlog.mark();
    if (backlog.isSettled(mark)) {
      return;
    }
    this.plan.hurry++;
    this.lanes.look();
    await this.waiters.until(() => backlog.isSettled(mark), budget.timeoutMs);
    this.plan.hurry--;
  }

  /** One attempt more for everything; what is left then stays where it lasts, or is handed over. Never rejects. */
  close(budget: TimeBudget = DEFAULT_BUDGET): Promise<void> {
    return (this.closing ??= this.closeOnce(budget.timeoutMs));
  }

  stats(): BackendStats {
    const { accepted, delivered, dead, depth, oldestMs } = this.parts.backlog.stats();
    const { circuit, lastDeliveredAt } = this.destination;
    const { lastError } = this.reporter;
    return {
      ...{ accepted, delivered, dead, depth },
      retried: this.attempts.retried,
      dropped: this.dropped.snapshot(),
      ...(oldestMs === undefined ? {} : { oldestMs: Math.round(oldestMs) }),
      ...(lastError === undefined ? {} : { lastError }),
      ...(lastDeliveredAt === undefined ? {} : { lastDeliveredAt }),
      state:
        this.closing !== undefined
          ? 'closed'
          : circuit.state === 'ok' && this.lanes.failing
            ? 'retrying'
            : circuit.state,
      ...(circuit.pauseReason === undefined ? {} : { stateReason: circuit.pauseReason }),
    };
  }

  /** What the attempts so far were judged by has changed: batches are made anew, under their ids. */
  credentialsChanged(): void {
    this.lanes.forgetPayloads();
    this.destination.credentialsChanged();
    this.lanes.look();
  }

  /** The settings have changed. */
  settingsChanged(): void {
    this.lanes.look();
  }

  /** Events that are stored together wait for one promise, and are answered with one. */
  private acceptLater(stored: Promise<number>, event: TrackingEvent): Promise<void> {
    if (stored !== this.storing?.stored) {
      const events: TrackingEvent[] = [];
      const answer = stored
        .finally(() => {
          if (this.storing?.stored === stored) {
            this.storing = undefined;
          }
        })
        .then((count) => {
          if (count === 0) {
            throw this.refuse(events);
          }
        });
      this.storing = { stored, events, answer };
    }
    this.storing.events.push(event);
    return this.storing.answer;
  }

  private refuse(events: readonly TrackingEvent[]): TrackingError {
    if (this.closing !== undefined) {
      this.dropped.add('closed', events.length);
      return new TrackingError('closed', 'the backend is closed');
    }
    this.dropped.add('overflow', events.length);
    this.lost.add(events, { reason: 'overflow' });
    return new TrackingError('overflow', 'the backlog has no room');
  }

  private async closeOnce(timeoutMs: number): Promise<void> {
    const { host, transport, backlog } = this.parts;
    const deadline = new Deadline(host.clock, timeoutMs);
    const sending = new Deadline(host.clock, timeoutMs * (1 - HAND_OVER_SHARE));
    await sending.race(this.lanes.drain(), undefined);
    this.attempts.end();
    await deadline.race(
      this.lanes.stop().then(() => this.leaveRest()),
      undefined,
    );
    await deadline.race(this.lost.done(), undefined);
    const ends = [transport.close?.(), backlog.close()].map((end) =>
      Promise.resolve(end).catch((error: unknown) => {
        this.reporter.storage(error);
      }),
    );
    await deadline.race(Promise.all(ends), []);
    this.waiters.settled();
  }

  /** What could not be delivered stays where it lasts; from memory it goes to whoever wants it. */
  private async leaveRest(): Promise<void> {
    const { backlog } = this.parts;
    const leases = new Set<Lease>();
    for (const line of this.lanes.leftOver) {
      for (const { lease, events } of line.batches) {
        leases.add(lease);
        if (!backlog.lasting) {
          await this.giveUp(lease, events);
        }
      }
    }
    if (backlog.lasting) {
      await Promise.all(
        [...leases].map(async (lease) => {
          await lease.release();
        }),
      );
      return;
    }
    for (
      let lease = await backlog.lease(EVERYTHING);
      lease !== undefined;
      lease = await backlog.lease(EVERYTHING)
    ) {
      await this.giveUp(lease, lease.events);
    }
  }

  private giveUp(lease: Lease, events: Settlement['events']): Promise<void> {
    return this.recorder.record(lease, [{ events, outcome: { reason: 'shutdown' } }]);
  }
}
