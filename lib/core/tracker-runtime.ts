import type { TimeBudget } from './backend.js';
import type { BaseContext } from './base-context.js';
import type { ContextStore } from './context-store.js';
import { TrackingError } from './errors.js';
import type { NodeServices } from './node.js';
import { Deadline } from './node.js';
import type { ProcessingStep } from './processing-step.js';
import type { ReportCode } from './report.js';
import type { TrackedEvent } from './event.js';
import type { Instantiate } from './processing-step.js';
import type { LeafNode } from './leaf-node.js';
import type { Trace } from './outcome.js';
import { describeValue } from './describe.js';
import type { BackendStats, TrackerStats } from './stats.js';
import type { Topology } from './topology.js';
import { UnderWay } from './under-way.js';
import type { FlushResult } from './tracker.js';

export const DEFAULT_FLUSH_MS = 10_000;
export const DEFAULT_CLOSE_MS = 8_000;
/** Most of the time of `close` that is kept by default for closing the backends; never more than a tenth of it. */
const CLOSE_RESERVE_MS = 1_000;

/** What a tracker and its children share: the topology, what is under way, and the end of it all. */
export class TrackerRuntime {
  private readonly inFlight = new Set<UnderWay>();
  /** One for all: it is called for every event that takes its time. */
  private readonly arrive = (underWay: UnderWay): void => {
    this.inFlight.delete(underWay);
  };
  private readonly beforeClose = new Set<() => void>();
  private closing: Promise<FlushResult> | undefined;
  private closed = false;

  constructor(
    readonly services: NodeServices,
    readonly topology: Topology,
    readonly store: ContextStore,
    readonly base: BaseContext,
    readonly strict: boolean,
    readonly instantiate: Instantiate,
  ) {}

  get isClosed(): boolean {
    return this.closed;
  }

  /** Sends an event through the topology; answers what is under way then, if anything is. */
  dispatch(event: TrackedEvent, steps: readonly ProcessingStep[], trace?: Trace): UnderWay | undefined {
    const root = this.topology.root;
    const underWay =
      steps.length === 0 ? root.dispatch(event, trace) : root.dispatchThrough(steps, event, trace);
    if (underWay !== undefined) {
      this.follow(underWay);
    }
    return underWay;
  }

  /** Calls back when the tracker is about to close, to let go of what is held. Answers how to take that back. */
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
    this.services.reporter.report({
      code,
      message,
      ...(error === undefined ? {} : { error }),
    });
  }

  async flush(budget: Partial<TimeBudget> | undefined): Promise<FlushResult> {
    const { clock } = this.services;
    const deadline = new Deadline(clock, this.timeoutMs('flush', budget, DEFAULT_FLUSH_MS));
    return this.keepingAlive(() => this.flushUntil(deadline, this.topology.leaves()));
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

  /** Flushes and closes a backend that was replaced. */
  retire(leaf: LeafNode): void {
    const deadline = new Deadline(this.services.clock, DEFAULT_CLOSE_MS);
    this.follow(UnderWay.of(leaf.flush(deadline.budget()).then(() => leaf.close(deadline.budget()))));
  }

  stats(): TrackerStats {
    const { counts } = this.services;
    return {
      accepted: counts.accepted,
      dropped: counts.dropped.snapshot(),
      processorErrors: counts.processorErrors,
      backends: Object.fromEntries(this.topology.leaves().map((leaf) => [leaf.path, leaf.stats()])),
    };
  }

  private async closeOnce(timeoutMs: number, reserveMs: number): Promise<FlushResult> {
    for (const release of this.beforeClose) {
      release();
    }
    this.closed = true;
    const { clock } = this.services;
    const deadline = new Deadline(clock, timeoutMs);
    const leaves = this.topology.leaves();
    const draining = leaves.filter((leaf) => leaf.drainsOnClose);
    await Promise.all([
      this.closeFlushed(
        leaves.filter((leaf) => !draining.includes(leaf)),
        new Deadline(clock, Math.max(0, timeoutMs - reserveMs)),
        deadline,
      ),
      this.closeDraining(draining, deadline),
    ]);
    const left = leaves.reduce((sum, leaf) => sum + leaf.stats().depth, this.inFlight.size);
    return { settled: left === 0, pending: left };
  }

  private async closeFlushed(
    leaves: readonly LeafNode[],
    flushDeadline: Deadline,
    deadline: Deadline,
  ): Promise<void> {
    await this.flushUntil(flushDeadline, leaves);
    await Promise.all([
      deadline.race(this.arrived(), []),
      ...leaves.map((leaf) => leaf.close(deadline.budget())),
    ]);
  }

  /** These deliver while they close, and need most of the time for it: only what is on its way to them comes before. */
  private async closeDraining(leaves: readonly LeafNode[], deadline: Deadline): Promise<void> {
    if (leaves.length > 0) {
      await deadline.part(4).race(this.arrived(), []);
      await Promise.all(leaves.map((leaf) => leaf.close(deadline.budget())));
    }
  }

  private async flushUntil(deadline: Deadline, leaves: readonly LeafNode[]): Promise<FlushResult> {
    const before = this.arrived();
    const underWay = [...this.inFlight];
    // A backend does not wait for ever for what hangs at another.
    const reached = await deadline.part(2).race(
      before.then(() => true),
      false,
    );
    const accepted = leaves.map((leaf) => leaf.stats().accepted);
    await Promise.all([
      reached || deadline.race(before, []),
      ...leaves.map((leaf) => leaf.flush(deadline.budget())),
    ]);
    const pending = leaves.reduce(
      (sum, leaf, index) => sum + leftOf(leaf.stats(), reached ? accepted[index] : undefined),
      underWay.filter((one) => this.inFlight.has(one)).length,
    );
    return { settled: pending === 0, pending };
  }

  /** Resolves when everything that is under way now has ended. */
  private arrived(): Promise<unknown[]> {
    return Promise.all([...this.inFlight].map(({ promise }) => promise));
  }

  private follow(underWay: UnderWay): void {
    this.inFlight.add(underWay);
    underWay.whenEnded(this.arrive);
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
