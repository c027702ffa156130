import type { TrackingEvent } from './event.js';
import type { DropReason } from './processor.js';

/** What became of an event at one node. */
export interface Outcome {
  readonly status: 'accepted' | 'dropped' | 'failed';
  readonly reason?: string;
  readonly error?: unknown;
}

/** What `emitAsync` resolves to. */
export interface DispatchReport {
  /** The event as it was created; absent when it was not. */
  readonly event?: TrackingEvent;
  /** Why it reached no backend at all. */
  readonly dropped?: string;
  /** By path: every backend asked, and every branch whose processors dropped it. */
  readonly outcomes: Readonly<Record<string, Outcome>>;
}

/** Reasons that mean: it should have been accepted and was not. The others say that somebody did not want it. */
const REFUSALS: ReadonlySet<string> = new Set<DropReason>([
  ...(['closed', 'failed', 'filter_failed', 'overflow', 'timeout', 'too_large', 'unserialisable'] as const),
]);

/** Whether an event that was dropped for this reason ought to have been accepted. */
export function isRefusal(reason: string): boolean {
  return REFUSALS.has(reason);
}

/** Follows one event while it travels: what became of it where. */
export class DispatchOutcomes {
  /** Why it, or one of the events that it became, ended before the first backend. */
  dropped: string | undefined;
  /** A map: a backend may be called `constructor`. */
  private readonly byPath = new Map<string, Outcome>();

  /** @param waitForRoom whether the event may wait for room */
  constructor(readonly waitForRoom: boolean) {}

  /** An event that became several may fare differently at one backend: the worst counts. */
  record(path: string, outcome: Outcome): void {
    const before = this.byPath.get(path);
    if (before === undefined || before.status === 'accepted') {
      this.byPath.set(path, outcome);
    }
  }

  /** Whether a backend that should have taken the event did not. */
  get isRefused(): boolean {
    return (
      (this.dropped !== undefined && isRefusal(this.dropped)) ||
      [...this.byPath.values()].some(({ status, reason = '' }) => status === 'failed' || isRefusal(reason))
    );
  }

  report(event: TrackingEvent): DispatchReport {
    const outcomes = Object.fromEntries(this.byPath);
    return this.dropped === undefined || this.byPath.size > 0
      ? { event, outcomes }
      : { event, dropped: this.dropped, outcomes };
  }
}
