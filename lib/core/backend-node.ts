import type { Backend, SendOptions, TimeBudget } from './backend.js';
import { DRAINS_ON_CLOSE } from './backend.js';
import { Deadline } from './deadline.js';
import { describeValue, errorMessage } from './describe.js';
import { isTrackingError } from './errors.js';
import type { TrackedEvent } from './event.js';
import { eventBytes } from './event.js';
import type { DispatchOutcomes, Outcome } from './outcome.js';
import { PendingWork } from './pending-work.js';
import type { DropReason } from './processor.js';
import type { ReportCode } from './report.js';
import type { TrackerServices } from './tracker-services.js';
import type { BackendStats } from './stats.js';
import { isBackendStats, ReasonCounter } from './stats.js';
import { isThenable } from './thenable.js';
import { TimeoutQueue } from './timeout-queue.js';

const WAIT_FOR_ROOM: SendOptions = Object.freeze({ waitForRoom: true });
const FIRE_AND_FORGET: SendOptions = Object.freeze({ waitForRoom: false, fireAndForget: true });
const ACCEPTED: Outcome = Object.freeze({ status: 'accepted' });

/**
 * One backend in the topology: hands events over, bounded and timed, and counts what became of them.
 *
 * Invariants
 * - Whatever the backend does (throws, rejects, hangs, returns nonsense), `dispatch` neither throws nor rejects.
 * - Every event ends as accepted or as dropped with a reason, once.
 */
export class BackendNode {
  private readonly pending: PendingWork;
  private readonly timeouts: TimeoutQueue;
  /** Dropped before the backend had a say: its own counts do not know of them. */
  private readonly unsent = new ReasonCounter();
  /** Refused by the backend. */
  private readonly refused = new ReasonCounter();
  private delivered = 0;
  private lastError: string | undefined;
  private isClosed = false;

  constructor(
    readonly path: string,
    readonly backend: Backend,
    private readonly services: TrackerServices,
  ) {
    const { clock, limits, reporter } = services;
    this.pending = new PendingWork(clock, limits);
    this.timeouts = new TimeoutQueue(clock, limits.sendTimeoutMs);
    backend.attach?.({
      tracker: services.tracker,
      path,
      clock,
      blockTimeoutMs: limits.blockTimeoutMs,
      report: (report) => {
        reporter.report({ path, ...report });
      },
    });
  }

  /** Takes an event; returns what is under way then, if anything is. */
  dispatch(event: TrackedEvent, outcomes?: DispatchOutcomes): Promise<void> | undefined {
    if (this.isClosed) {
      this.afterClose(event, outcomes);
    } else if (this.pending.isIdle) {
      // Most backends take an event at once: its size need not be known.
      return this.send(event, undefined, outcomes);
    } else if (this.pending.tryEnter(eventBytes(event))) {
      return this.send(event, eventBytes(event), outcomes);
    } else if (outcomes?.waitForRoom === true) {
      return this.sendWhenRoom(event, outcomes);
    } else {
      this.overflow(event, outcomes);
    }
    return undefined;
  }

  /** Whether its `close` delivers what is left, so that nobody has to flush before. */
  get drainsOnClose(): boolean {
    return this.backend[DRAINS_ON_CLOSE] === true;
  }

  async flush(budget: TimeBudget): Promise<void> {
    await this.within(budget, 'flush');
  }

  async close(budget: TimeBudget): Promise<void> {
    this.isClosed = true;
    await this.within(budget, 'close');
  }

  stats(): BackendStats {
    const own = this.ownStats();
    const dropped = { ...(own?.dropped ?? this.refused.snapshot()) };
    for (const [reason, count] of Object.entries(this.unsent.snapshot())) {
      dropped[reason] = (dropped[reason] ?? 0) + count;
    }
    return {
      accepted: this.delivered,
      delivered: this.delivered,
      retried: 0,
      dead: 0,
      depth: 0,
      ...(this.lastError === undefined ? {} : { lastError: this.lastError }),
      state: 'ok',
      ...own,
      dropped,
      ...(this.isClosed ? { state: 'closed' } : {}),
    };
  }

  private ownStats(): BackendStats | undefined {
    try {
      const own: unknown = this.backend.stats?.();
      if (own === undefined || isBackendStats(own)) {
        return own;
      }
      throw new TypeError(`expected stats, got ${describeValue(own)}`);
    } catch (error) {
      this.lastError = errorMessage(error);
      this.report('backend_failed', 'stats() failed; the tracker shows its own counts', { error });
      return undefined;
    }
  }

  /**
   * Hands the event over.
   *
   * @param taken bytes of the room that was taken for it, if any was
   */
  private send(
    event: TrackedEvent,
    taken: number | undefined,
    outcomes: DispatchOutcomes | undefined,
  ): Promise<void> | undefined {
    try {
      const options =
        outcomes === undefined ? FIRE_AND_FORGET : outcomes.waitForRoom ? WAIT_FOR_ROOM : undefined;
      const answer: unknown = this.backend.send(event, options);
      if (isThenable(answer)) {
        if (taken === undefined) {
          this.pending.enter(eventBytes(event));
        }
        return this.settle(answer, event, outcomes);
      }
      this.accepted(outcomes);
    } catch (error) {
      this.failed(event, error, outcomes);
    }
    if (taken !== undefined) {
      this.pending.leave(taken);
    }
    return undefined;
  }

  /** Waits for what the backend says, but not for ever. */
  private settle(
    answer: PromiseLike<unknown>,
    event: TrackedEvent,
    outcomes: DispatchOutcomes | undefined,
  ): Promise<void> {
    return new Promise((resolve) => {
      const end = (settled: () => void): void => {
        settled();
        this.pending.leave(eventBytes(event));
        resolve();
      };
      let isLate = false;
      const stop = this.timeouts.start(() => {
        isLate = true;
        end(() => {
          this.timedOut(event, outcomes);
        });
      });
      const inTime = (settled: () => void): void => {
        if (!isLate) {
          stop();
          end(settled);
        }
      };
      // Whatever it is, it is called by the promise made of it.
      Promise.resolve(answer).then(
        () => {
          inTime(() => {
            this.accepted(outcomes);
          });
        },
        (error: unknown) => {
          inTime(() => {
            this.failed(event, error, outcomes);
          });
        },
      );
    });
  }

  private async sendWhenRoom(event: TrackedEvent, outcomes: DispatchOutcomes): Promise<void> {
    const bytes = eventBytes(event);
    if (!(await this.pending.enterWhenRoom(bytes))) {
      this.overflow(event, outcomes);
    } else if (this.isClosed) {
      this.afterClose(event, outcomes);
      this.pending.leave(bytes);
    } else {
      await this.send(event, bytes, outcomes);
    }
  }

  /** Calls `flush` or `close` of the backend, isolated, for no longer than the budget. */
  private async within(budget: TimeBudget, what: 'flush' | 'close'): Promise<void> {
    try {
      const answer: unknown = this.backend[what]?.(budget);
      if (!isThenable(answer)) {
        return;
      }
      const deadline = new Deadline(this.services.clock, budget.timeoutMs);
      if (
        await deadline.race(
          Promise.resolve(answer).then(() => false),
          true,
        )
      ) {
        this.report('timeout', `${what} took longer than ${Math.round(budget.timeoutMs)} ms`);
      }
    } catch (error) {
      this.report('backend_failed', `${what} failed`, { error });
    }
  }

  private accepted(outcomes: DispatchOutcomes | undefined): void {
    this.delivered++;
    outcomes?.record(this.path, ACCEPTED);
  }

  private failed(event: TrackedEvent, error: unknown, outcomes: DispatchOutcomes | undefined): void {
    this.lastError = errorMessage(error);
    const name = describeValue(event.name);
    const refusal = refusalOf(error);
    if (refusal !== undefined) {
      this.refused.add(refusal);
      outcomes?.record(this.path, { status: 'dropped', reason: refusal });
      this.report(refusal, `${name} was dropped: ${this.lastError}`, { event });
    } else {
      this.refused.add('failed');
      outcomes?.record(this.path, { status: 'failed', reason: 'failed', error });
      this.report('backend_failed', `the backend did not take ${name}; the event was dropped there`, {
        error,
        event,
      });
    }
  }

  private timedOut(event: TrackedEvent, outcomes: DispatchOutcomes | undefined): void {
    const limit = this.services.limits.sendTimeoutMs;
    this.lastError = `send took longer than ${limit} ms`;
    outcomes?.record(this.path, { status: 'failed', reason: 'timeout' });
    this.unsentEvent(
      'timeout',
      event,
      `the backend did not take it within limits.sendTimeoutMs (${limit} ms)`,
    );
  }

  private overflow(event: TrackedEvent, outcomes: DispatchOutcomes | undefined): void {
    outcomes?.record(this.path, { status: 'dropped', reason: 'overflow' });
    const why = 'too many events wait for this backend (limits.maxPending, limits.pendingBytes)';
    this.unsentEvent('overflow', event, why);
  }

  private afterClose(event: TrackedEvent, outcomes: DispatchOutcomes | undefined): void {
    outcomes?.record(this.path, { status: 'dropped', reason: 'closed' });
    this.unsentEvent('closed', event, 'the backend was closed before it came out of its processors');
  }

  private unsentEvent(reason: DropReason & ReportCode, event: TrackedEvent, why: string): void {
    this.unsent.add(reason);
    this.report(reason, `${describeValue(event.name)} was dropped: ${why}`, { event });
  }

  private report(
    code: ReportCode,
    message: string,
    more: { readonly error?: unknown; readonly event?: TrackedEvent } = {},
  ): void {
    this.services.reporter.report({ code, message, path: this.path, ...more });
  }
}

/** A backend that says why it does not take an event has not failed. Reading what was thrown may throw. */
function refusalOf(error: unknown): 'overflow' | 'too_large' | 'closed' | undefined {
  try {
    const code = isTrackingError(error) ? error.code : undefined;
    return code === 'overflow' || code === 'too_large' || code === 'closed' ? code : undefined;
  } catch {
    return undefined;
  }
}
