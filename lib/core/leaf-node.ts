import type { Backend, SendOptions, TimeBudget } from './backend.js';
import type { TrackedEvent } from './event.js';
import { eventBytes } from './event.js';
import type { NodeServices, TopologyNode } from './node.js';
import { Deadline } from './node.js';
import type { Trace } from './outcome.js';
import { LeafOutcomes } from './leaf-outcomes.js';
import { PendingWork } from './pending-work.js';
import type { Settled } from './sendings.js';
import { Sending, Sendings } from './sendings.js';
import type { UnderWay } from './under-way.js';
import { errorMessage, describeValue } from './describe.js';
import type { BackendStats } from './stats.js';
import { isBackendStats } from './stats.js';
import { isThenable } from './thenable.js';

const WAITS: SendOptions = Object.freeze({ waits: true });
const UNHEARD: SendOptions = Object.freeze({ waits: false, unheard: true });

/**
 * One backend in the topology.
 *
 * Invariants
 * - Whatever the backend does (throws, rejects, hangs, answers nonsense), `dispatch` neither throws nor rejects.
 * - Every event ends as accepted or as dropped with a reason, once.
 */
export class LeafNode implements TopologyNode {
  private readonly pending: PendingWork;
  private readonly sendings: Sendings;
  private readonly outcomes: LeafOutcomes;
  private closed = false;

  constructor(
    readonly path: string,
    readonly backend: Backend,
    private readonly services: NodeServices,
  ) {
    this.outcomes = new LeafOutcomes(path, services);
    const { clock, limits } = services;
    this.sendings = new Sendings(clock, limits.sendTimeoutMs, (sending, settled) => {
      this.settled(sending, settled);
    });
    this.pending = new PendingWork(clock, limits);
    backend.attach?.({
      tracker: services.tracker,
      path,
      clock,
      blockTimeoutMs: limits.blockTimeoutMs,
      report: (report) => {
        services.reporter.report({ path, ...report });
      },
    });
  }

  dispatch(event: TrackedEvent, trace?: Trace): UnderWay | undefined {
    if (this.closed) {
      this.outcomes.tooLate(event, trace);
      return undefined;
    }
    const bytes = eventBytes(event);
    if (!this.pending.hasRoom(bytes)) {
      return this.dispatchFull(event, bytes, trace);
    }
    const answer = this.send(event, trace);
    if (answer === undefined) {
      return undefined;
    }
    this.pending.enter(bytes);
    const sending = new Sending(event, bytes, trace);
    this.sendings.wait(answer, sending);
    return sending;
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
    return this.outcomes.stats(this.closed);
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
      throw new TypeError(`expected stats, got ${describeValue(own)}`);
    } catch (error) {
      this.outcomes.lastError = errorMessage(error);
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
  private send(event: TrackedEvent, trace: Trace | undefined): PromiseLike<unknown> | undefined {
    try {
      const answer: unknown = this.backend.send(
        event,
        trace === undefined ? UNHEARD : trace.waits ? WAITS : undefined,
      );
      if (isThenable(answer)) {
        return answer;
      }
    } catch (error) {
      this.outcomes.failed(event, error, trace);
      return undefined;
    }
    this.outcomes.accepted(trace);
    return undefined;
  }

  private settled(sending: Sending, settled: Settled): void {
    const { event, bytes, trace } = sending;
    switch (settled.status) {
      case 'taken':
        this.outcomes.accepted(trace);
        break;
      case 'late':
        this.outcomes.late(event, trace);
        break;
      case 'failed':
        this.outcomes.failed(event, settled.error, trace);
    }
    this.pending.leave(bytes);
    sending.end();
  }

  private dispatchFull(event: TrackedEvent, bytes: number, trace: Trace | undefined): UnderWay | undefined {
    if (trace?.waits === true) {
      return this.dispatchWhenRoom(event, bytes, trace);
    }
    this.outcomes.overflow(event, trace);
    return undefined;
  }

  private dispatchWhenRoom(event: TrackedEvent, bytes: number, trace: Trace): UnderWay {
    const sending = new Sending(event, bytes, trace);
    void this.pending.enterWhenRoom(bytes).then((hasRoom) => {
      if (!hasRoom) {
        this.outcomes.overflow(event, trace);
        sending.end();
        return;
      }
      if (this.closed) {
        this.outcomes.tooLate(event, trace);
      } else {
        const answer = this.send(event, trace);
        if (answer !== undefined) {
          this.sendings.wait(answer, sending);
          return;
        }
      }
      this.pending.leave(bytes);
      sending.end();
    });
    return sending;
  }

  /** Calls `flush` or `close` of the backend, isolated, for no longer than the budget. */
  private async within(budget: TimeBudget, what: 'flush' | 'close'): Promise<void> {
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
