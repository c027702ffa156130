import type { Backend, SendOptions, TimeBudget } from './backend.js';
import type { TrackedEvent } from '../event/event.js';
import { eventBytes } from '../event/event.js';
import type { NodeServices, TopologyNode } from './node.js';
import { Deadline } from './node.js';
import type { Outcome, Trace } from './outcome.js';
import { PendingWork, TIMED_OUT } from '../bounds/pending-work.js';
import type { DropReason } from '../processing/processor.js';
import { isTrackingError } from '../errors.js';
import { messageOf, show } from '../show.js';
import type { BackendStats } from './stats.js';
import { isBackendStats, ReasonCounter } from './stats.js';
import { isThenable } from '../thenable.js';

const WAITS: SendOptions = Object.freeze({ waits: true });
const UNHEARD: SendOptions = Object.freeze({ waits: false, unheard: true });

interface Refusal {
  readonly code: 'overflow' | 'too_large' | 'closed';
  readonly message: string;
}

const ACCEPTED: Outcome = Object.freeze({ status: 'accepted' });

/**
 * One backend in the topology.
 *
 * Invariants
 * - Whatever the backend does (throws, rejects, hangs, answers nonsense), `dispatch` neither throws nor rejects.
 * - Every event ends as accepted or as dropped with a reason, once.
 */
export class LeafNode implements TopologyNode {
  private readonly pending: PendingWork;
  private readonly dropped = new ReasonCounter();
  private delivered = 0;
  private lastError: string | undefined;
  private closed = false;

  constructor(
    readonly path: string,
    readonly backend: Backend,
    private readonly services: NodeServices,
  ) {
    this.pending = new PendingWork(services.clock, {
      ...services.limits,
      timeoutMs: services.limits.sendTimeoutMs,
    });
    backend.attach?.({
      tracker: services.tracker,
      path,
      clock: services.clock,
      blockTimeoutMs: services.limits.blockTimeoutMs,
      report: (report) => {
        services.reporter.report({ path, ...report });
      },
    });
  }

  dispatch(event: TrackedEvent, trace?: Trace): Promise<void> | undefined {
    if (this.closed) {
      this.tooLate(event, trace);
      return undefined;
    }
    const bytes = eventBytes(event);
    if (!this.pending.hasRoom(bytes)) {
      return this.dispatchFull(event, bytes, trace);
    }
    const answer = this.send(event, trace);
    return answer === undefined
      ? undefined
      : this.dispatchLater(answer, event, bytes, trace);
  }

  /** Whether its `close` delivers what is left, so that nobody has to flush before. */
  get drainsOnClose(): boolean {
    return this.backend.drainsOnClose === true;
  }

  async flush(budget: TimeBudget): Promise<void> {
    await this.within(budget, 'flush');
  }

  async close(budget: TimeBudget): Promise<void> {
    this.closed = true;
    await this.within(budget, 'close');
  }

  stats(): BackendStats {
    const own = this.ownStats();
    if (own !== undefined) {
      return this.closed ? { ...own, state: 'closed' } : own;
    }
    return {
      accepted: this.delivered,
      delivered: this.delivered,
      retried: 0,
      dead: 0,
      dropped: this.dropped.snapshot(),
      depth: 0,
      ...(this.lastError === undefined ? {} : { lastError: this.lastError }),
      state: this.closed ? 'closed' : 'ok',
    };
  }

  private ownStats(): BackendStats | undefined {
    try {
      if (this.backend.stats === undefined) {
        return undefined;
      }
      const own: unknown = this.backend.stats();
      if (isBackendStats(own)) {
        return own;
      }
      throw new TypeError(`expected stats, got ${show(own)}`);
    } catch (error) {
      this.lastError = messageOf(error);
      this.services.reporter.report({
        code: 'backend_failed',
        message: 'stats() failed; the tracker shows its own counts',
        path: this.path,
        error,
      });
      return undefined;
    }
  }

  /** Hands the event over; answers a promise when the backend takes its time. */
  private send(
    event: TrackedEvent,
    trace: Trace | undefined,
  ): PromiseLike<unknown> | undefined {
    try {
      const answer: unknown = this.backend.send(
        event,
        trace === undefined ? UNHEARD : trace.waits ? WAITS : undefined,
      );
      if (isThenable(answer)) {
        return answer;
      }
    } catch (error) {
      this.failed(event, error, trace);
      return undefined;
    }
    this.accepted(trace);
    return undefined;
  }

  private async dispatchLater(
    answer: PromiseLike<unknown>,
    event: TrackedEvent,
    bytes: number,
    trace: Trace | undefined,
  ): Promise<void> {
    this.pending.enter(bytes);
    await this.settle(answer, event, trace);
    this.pending.leave(bytes);
  }

  private async settle(
    answer: PromiseLike<unknown>,
    event: TrackedEvent,
    trace: Trace | undefined,
  ): Promise<void> {
    try {
      if ((await this.pending.inTime(answer)) === TIMED_OUT) {
        this.late(event, trace);
      } else {
        this.accepted(trace);
      }
    } catch (error) {
      this.failed(event, error, trace);
    }
  }

  private dispatchFull(
    event: TrackedEvent,
    bytes: number,
    trace: Trace | undefined,
  ): Promise<void> | undefined {
    if (trace?.waits === true) {
      return this.dispatchWhenRoom(event, bytes, trace);
    }
    this.overflow(event, trace);
    return undefined;
  }

  private async dispatchWhenRoom(
    event: TrackedEvent,
    bytes: number,
    trace: Trace,
  ): Promise<void> {
    if (!(await this.pending.enterWhenRoom(bytes))) {
      this.overflow(event, trace);
      return;
    }
    if (this.closed) {
      this.tooLate(event, trace);
    } else {
      const answer = this.send(event, trace);
      if (answer !== undefined) {
        await this.settle(answer, event, trace);
      }
    }
    this.pending.leave(bytes);
  }

  private accepted(trace: Trace | undefined): void {
    this.delivered++;
    trace?.record(this.path, ACCEPTED);
  }

  private failed(
    event: TrackedEvent,
    error: unknown,
    trace: Trace | undefined,
  ): void {
    this.lastError = messageOf(error);
    const refusal = refusalOf(error);
    if (refusal !== undefined) {
      this.refused(event, refusal, trace);
      return;
    }
    this.drop('failed');
    trace?.record(this.path, { status: 'failed', reason: 'failed', error });
    this.services.reporter.report({
      code: 'backend_failed',
      message: `the backend did not take ${show(event.name)}; the event was dropped there`,
      path: this.path,
      error,
      event,
    });
  }

  private refused(
    event: TrackedEvent,
    { code, message }: Refusal,
    trace: Trace | undefined,
  ): void {
    this.drop(code);
    trace?.record(this.path, { status: 'dropped', reason: code });
    this.services.reporter.report({
      code,
      message: `${show(event.name)} was dropped: ${message}`,
      path: this.path,
      event,
    });
  }

  private late(event: TrackedEvent, trace: Trace | undefined): void {
    const limit = this.services.limits.sendTimeoutMs;
    this.lastError = `send took longer than ${limit} ms`;
    this.drop('timeout');
    trace?.record(this.path, { status: 'failed', reason: 'timeout' });
    this.services.reporter.report({
      code: 'timeout',
      message: `the backend did not take ${show(event.name)} within limits.sendTimeoutMs (${limit} ms)`,
      path: this.path,
      event,
    });
  }

  private overflow(event: TrackedEvent, trace: Trace | undefined): void {
    this.drop('overflow');
    trace?.record(this.path, { status: 'dropped', reason: 'overflow' });
    this.services.reporter.report({
      code: 'overflow',
      message: `too many events wait for this backend (limits.maxPending, limits.pendingBytes); ${show(event.name)} was dropped`,
      path: this.path,
      event,
    });
  }

  private tooLate(event: TrackedEvent, trace: Trace | undefined): void {
    this.drop('closed');
    trace?.record(this.path, { status: 'dropped', reason: 'closed' });
    this.services.reporter.report({
      code: 'closed',
      message: `the backend was closed before ${show(event.name)} came out of its processors; the event was dropped`,
      path: this.path,
      event,
    });
  }

  private drop(reason: DropReason): void {
    this.dropped.add(reason);
  }

  /** Calls `flush` or `close` of the backend, isolated, for no longer than the budget. */
  private async within(
    budget: TimeBudget,
    what: 'flush' | 'close',
  ): Promise<void> {
    const { clock, reporter } = this.services;
    try {
      const answer: unknown = this.backend[what]?.(budget);
      if (!isThenable(answer)) {
        return;
      }
      const late = await new Deadline(clock, budget.timeoutMs).race(
        Promise.resolve(answer).then(() => false),
        true,
      );
      if (late) {
        reporter.report({
          code: 'timeout',
          message: `${what} took longer than ${Math.round(budget.timeoutMs)} ms`,
          path: this.path,
        });
      }
    } catch (error) {
      reporter.report({
        code: 'backend_failed',
        message: `${what} failed`,
        path: this.path,
        error,
      });
    }
  }
}

/** A backend that says why it does not take an event has not failed. Reading what was thrown may throw. */
function refusalOf(error: unknown): Refusal | undefined {
  try {
    if (isTrackingError(error)) {
      const { code, message } = error;
      return code === 'overflow' || code === 'too_large' || code === 'closed'
        ? { code, message }
        : undefined;
    }
  } catch {
    // Whatever it is, it is no refusal of ours.
  }
  return undefined;
}
