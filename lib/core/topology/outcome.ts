import type { TrackingEvent } from '../event/event.js';
import type { DropReason } from '../processing/processor.js';

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
    return (
      this.failed || (this.dropped !== undefined && isRefusal(this.dropped))
    );
  }
}

/** Remembers what happened where, for the report of `emitAsync`. */
export class ReportedTrace extends Trace {
  /** A map: a backend may be called `constructor`. */
  private readonly outcomes = new Map<string, Outcome>();

  override record(path: string, outcome: Outcome): void {
    super.record(path, outcome);
    const before = this.outcomes.get(path);
    // An event that became several may fare differently at one backend: the worst counts.
    if (before === undefined || before.status === 'accepted') {
      this.outcomes.set(path, outcome);
    }
  }

  report(event: TrackingEvent): DispatchReport {
    return {
      event,
      ...(this.dropped === undefined || this.outcomes.size > 0
        ? {}
        : { dropped: this.dropped }),
      outcomes: Object.fromEntries(this.outcomes),
    };
  }
}
