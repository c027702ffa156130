import type { TimeBudget } from './backend.js';
import type { BackendNode } from './backend-node.js';
import type { ContextStore } from './context-store.js';
import { Deadline } from './deadline.js';
import { describeValue } from './describe.js';
import { TrackingError } from './errors.js';
import type { TrackedEvent } from './event.js';
import type { DispatchOutcomes } from './outcome.js';
import type { ProcessingStep } from './processor.js';
import type { ReportCode } from './report.js';
import type { BackendStats, TrackerStats } from './stats.js';
import type { Topology } from './topology.js';
import { DEFAULT_CLOSE_MS } from './topology.js';
import type { FlushResult } from './tracker.js';
import type { TrackerServices } from './tracker-services.js';

const DEFAULT_FLUSH_MS = 10_000;
/** Most of the time of `close` that is kept by default for closing the backends; never more than a tenth of it. */
const CLOSE_RESERVE_MS = 1_000;

/** What a tracker and its children share: the topology, what is under way, and the end of it all. */
export class TrackerRuntime {
  private readonly underWay = new Set<Promise<void>>();
  private readonly beforeClose = new Set<() => void>();
  private closing: Promise<FlushResult> | undefined;
  private closed = false;

  constructor(
    readonly services: TrackerServices,
    readonly topology: Topology,
    readonly store: ContextStore,
    readonly strict: boolean,
  ) {}

  get isClosed(): boolean {
    return this.closed;
  }

  /** Sends an event through the topology; returns what is under way then, if anything is. It never rejects. */
  dispatch(
    event: TrackedEvent,
    steps: readonly ProcessingStep[],
    outcomes?: DispatchOutcomes,
  ): Promise<void> | undefined {
    const underWay = this.topology.root.dispatch(event, outcomes, steps);
    if (underWay !== undefined) {
      this.follow(underWay);
    }
    return underWay;
  }

  /** Calls back when the tracker is about to close, to release what is held. Returns how to take that back. */
  onClose(release: () => void): () => void {
    this.beforeClose.add(release);
    return () => this.beforeClose.delete(release);
  }

  /** Misuse: strict mode throws it, else it is reported. */
  misused(code: 'unknown_context' | 'context_outside_scope' | 'closed', message: string): void {
    if (this.strict) {
      throw new TrackingError(code, message);
    }
    this.report(code, message);
  }

  report(code: ReportCode, message: string, error?: unknown): void {
    this.services.reporter.report({ code, message, ...(error === undefined ? {} : { error }) });
  }

  /** Something of the app that the tracker calls threw or rejected. */
  callbackFailed(path: string, message: string, error: unknown): void {
    this.services.reporter.report({ code: 'callback_failed', message, path, error });
  }

  async flush(budget: Partial<TimeBudget> | undefined): Promise<FlushResult> {
    const deadline = new Deadline(this.services.clock, this.timeoutMs('flush', budget, DEFAULT_FLUSH_MS));
    return this.keepingAlive(() => this.flushUntil(deadline, this.topology.backends()));
  }

  /** @param reserveMs the last part of the time, kept for closing the backends: what hangs does not get it */
  close(budget: Partial<TimeBudget> | undefined, reserveMs?: number): Promise<FlushResult> {
    const timeoutMs = this.timeoutMs('close', budget, DEFAULT_CLOSE_MS);
    return (this.closing ??= this.keepingAlive(() =>
      this.closeOnce(timeoutMs, reserveMs ?? Math.min(CLOSE_RESERVE_MS, timeoutMs / 10)),
    ));
  }

  /** A process that has nothing else to do must not end before its events are where they belong. */
  private async keepingAlive<T>(work: () => Promise<T>): Promise<T> {
    const release = this.services.clock.keepAlive?.();
    try {
      return await work();
    } finally {
      release?.();
    }
  }

  /** Flushes and closes backends that were replaced. */
  retire(replaced: readonly BackendNode[]): void {
    const deadline = new Deadline(this.services.clock, DEFAULT_CLOSE_MS);
    for (const backend of replaced) {
      this.follow(backend.flush(deadline.budget()).then(() => backend.close(deadline.budget())));
    }
  }

  stats(): TrackerStats {
    const { counts } = this.services;
    return {
      accepted: counts.accepted,
      dropped: counts.dropped.snapshot(),
      processorErrors: counts.processorErrors,
      backends: Object.fromEntries(
        this.topology.backends().map((backend) => [backend.path, backend.stats()]),
      ),
    };
  }

  private async closeOnce(timeoutMs: number, reserveMs: number): Promise<FlushResult> {
    for (const release of this.beforeClose) {
      release();
    }
    this.closed = true;
    const { clock } = this.services;
    const deadline = new Deadline(clock, timeoutMs);
    const backends = this.topology.backends();
    await Promise.all([
      this.closeFlushed(
        backends.filter((backend) => !backend.drainsOnClose),
        new Deadline(clock, Math.max(0, timeoutMs - reserveMs)),
        deadline,
      ),
      this.closeDraining(
        backends.filter((backend) => backend.drainsOnClose),
        deadline,
      ),
    ]);
    const left = backends.reduce((sum, backend) => sum + backend.stats().depth, this.underWay.size);
    return { settled: left === 0, pending: left };
  }

  private async closeFlushed(
    backends: readonly BackendNode[],
    flushDeadline: Deadline,
    deadline: Deadline,
  ): Promise<void> {
    await this.flushUntil(flushDeadline, backends);
    await Promise.all([
      this.settled(deadline),
      ...backends.map((backend) => backend.close(deadline.budget())),
    ]);
  }

  /** These deliver while they close, and need most of the time for it: only what is on its way to them comes before. */
  private async closeDraining(backends: readonly BackendNode[], deadline: Deadline): Promise<void> {
    if (backends.length > 0) {
      await this.settled(deadline.part(4));
      await Promise.all(backends.map((backend) => backend.close(deadline.budget())));
    }
  }

  private async flushUntil(deadline: Deadline, backends: readonly BackendNode[]): Promise<FlushResult> {
    const before = [...this.underWay];
    const everything = this.settled(deadline, before);
    // A backend does not wait for ever for what hangs at another.
    const reached = await this.settled(deadline.part(2), before);
    const accepted = backends.map((backend) => backend.stats().accepted);
    await Promise.all([everything, ...backends.map((backend) => backend.flush(deadline.budget()))]);
    const pending = backends.reduce(
      (sum, backend, index) => sum + leftOf(backend.stats(), reached ? accepted[index] : undefined),
      before.filter((one) => this.underWay.has(one)).length,
    );
    return { settled: pending === 0, pending };
  }

  /** Whether everything that is under way now has ended in time. Without any, no timer is needed. */
  private async settled(deadline: Deadline, underWay = [...this.underWay]): Promise<boolean> {
    const all = Promise.all(underWay).then(() => true);
    return underWay.length === 0 || deadline.race(all, false);
  }

  private follow(underWay: Promise<void>): void {
    this.underWay.add(underWay);
    void underWay.then(() => {
      this.underWay.delete(underWay);
    });
  }

  private timeoutMs(what: string, budget: Partial<TimeBudget> | undefined, fallback: number): number {
    const given: unknown = budget?.timeoutMs;
    if (given === undefined) {
      return fallback;
    }
    if (typeof given === 'number' && given >= 0) {
      return given;
    }
    this.report(
      'invalid_option',
      `expected ${what}'s timeoutMs to be milliseconds, 0 or more, got ${describeValue(given)}; ${fallback} was used`,
    );
    return fallback;
  }
}

/** How many of the first `accepted` events are left, as long as later ones do not overtake them. */
function leftOf({ delivered, dead, depth }: BackendStats, accepted = Infinity): number {
  return Math.min(depth, Math.max(0, accepted - delivered - dead));
}
