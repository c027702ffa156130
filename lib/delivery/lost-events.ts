import { outside } from '../core/outside.js';
import type { Clock } from '../core/clock.js';
import type { TrackingEvent } from '../core/event.js';
import type { TrackingReport } from '../core/report.js';
import { isThenable } from '../core/thenable.js';
import type { DeathCause } from './dead-letter.js';

/** Events that are not going to be delivered, with the reason. */
export interface LostBatch extends DeathCause {
  readonly path: string;
  readonly events: readonly TrackingEvent[];
}

/** Gets the events that were given up. A promise is awaited at shutdown; what it throws is reported. */
export type OnDeadLetter = (lost: LostBatch) => unknown;

/** So many are handed over at the latest. */
const MAX_GATHERED = 500;

/** Hands lost events to the app: together, in the order of their loss, outside of anybody's request. */
export class LostEvents {
  private gathered: TrackingEvent[] = [];
  private cause: DeathCause = { reason: 'shutdown' };
  private scheduled = false;
  private readonly underWay = new Set<Promise<void>>();

  constructor(
    private readonly path: string,
    private readonly clock: Clock,
    private readonly onDeadLetter: OnDeadLetter | undefined,
    private readonly report: (report: TrackingReport) => void,
  ) {}

  add(events: readonly TrackingEvent[], cause: DeathCause): void {
    if (this.onDeadLetter === undefined) {
      return;
    }
    if (!isSameCause(cause, this.cause)) {
      this.handOver();
      this.cause = cause;
    }
    for (const event of events) {
      this.gathered.push(event);
    }
    if (this.gathered.length >= MAX_GATHERED) {
      this.handOver();
    } else if (!this.scheduled) {
      this.scheduled = true;
      this.clock.setTimeout(() => {
        this.scheduled = false;
        this.handOver();
      }, 0);
    }
  }

  /** Resolves when the app is done with everything that was lost so far. */
  async done(): Promise<void> {
    this.handOver();
    await Promise.all(this.underWay);
  }

  private handOver(): void {
    const events = this.gathered;
    if (events.length === 0) {
      return;
    }
    this.gathered = [];
    outside(() => {
      this.call({ path: this.path, events, ...this.cause });
    });
  }

  private call(lost: LostBatch): void {
    try {
      const answer = this.onDeadLetter?.(lost);
      if (isThenable(answer)) {
        const settled = Promise.resolve(answer).then(
          () => undefined,
          (error: unknown) => {
            this.failed(error);
          },
        );
        this.underWay.add(settled);
        void settled.then(() => this.underWay.delete(settled));
      }
    } catch (error) {
      this.failed(error);
    }
  }

  private failed(error: unknown): void {
    this.report({
      code: 'callback_failed',
      message: 'onDeadLetter failed',
      path: this.path,
      error,
    });
  }
}

function isSameCause(a: DeathCause, b: DeathCause): boolean {
  return a.reason === b.reason && a.status === b.status && a.body === b.body;
}
