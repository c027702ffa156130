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
  /** The event as it was born; absent when it was not. */
  readonly event?: TrackingEvent;
  /** Why it reached no backend at all. */
  readonly dropped?: string;
  /** By path: every backend asked, and every branch whose processors dropped it. */
  readonly outcomes: Readonly<Record<string, Outcome>>;
}

/** Reasons that mean: it should have been accepted and was not. The others say that somebody did not want it. */
const REFUSALS: ReadonlySet<string> = new Set<DropReason>([
  'closed',
  'failed',
  'filter_failed',
  'overflow',
  'timeout',
  'too_large',
  'unserialisable',
]);

/** Whether an event that was dropped for this reason ought to have been accepted. */
export function isRefusal(reason: string): boolean {
  return REFUSALS.has(reason);
}

/** Follows an event while it travels: whether it was taken where it should have been. */
export class Trace {
  /** Why it, or one of the events that it became, ended before the first backend. */
  dropped: string | undefined;
  private failed = false;

  /** @param waits whether the event may wait for room */
  constructor(readonly waits: boolean) {}

  record(_path: string, { status, reason = '' }: Outcome): void {
    this.failed ||= status === 'failed' || isRefusal(reason);
  }

  /** Whether a backend that should have taken the event did not. */
  get refused(): boolean {
    return this.failed || (this.dropped !== undefined && isRefusal(this.dropped));
  }
}

/** Remembers what happened where, for the report of `emitAsync`. */
export class ReportedTrace extends Trace {
  // Most events go to one backend: that costs no map.
  private path: string | undefined;
  private outcome: Outcome | undefined;
  /** What happened elsewhere. A map: a backend may be called `constructor`. */
  private others: Map<string, Outcome> | undefined;

  override record(path: string, outcome: Outcome): void {
    super.record(path, outcome);
    this.path ??= path;
    if (path === this.path) {
      this.outcome = worse(this.outcome, outcome);
    } else {
      this.others ??= new Map();
      this.others.set(path, worse(this.others.get(path), outcome));
    }
  }

  report(event: TrackingEvent): DispatchReport {
    const outcomes = this.outcomes();
    return this.dropped === undefined || this.path !== undefined
      ? { event, outcomes }
      : { event, dropped: this.dropped, outcomes };
  }

  private outcomes(): Record<string, Outcome> {
    const { path, outcome, others } = this;
    if (path === undefined || outcome === undefined) {
      return {};
    }
    return others === undefined ? { [path]: outcome } : { [path]: outcome, ...Object.fromEntries(others) };
  }
}

/** An event that became several may fare differently at one backend: the worst counts. */
function worse(before: Outcome | undefined, outcome: Outcome): Outcome {
  return before === undefined || before.status === 'accepted' ? outcome : before;
}
