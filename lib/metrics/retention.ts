import type { Day } from './calendar.js';
import type { KeepDays, MetricsStore, Span } from './metrics-store.js';

/** The first days that are still kept; `-Infinity` where everything is. */
export interface KeptFrom {
  readonly hours: Day;
  readonly days: Day;
}

export function keptFrom(keep: KeepDays, today: Day): KeptFrom {
  return {
    hours: keep.hours === undefined ? -Infinity : today - keep.hours,
    days: keep.days === undefined ? -Infinity : today - keep.days,
  };
}

/** The part of a span that does not lie before something. */
export function since(span: Span, first: number): Span {
  const from = Math.max(span.from ?? -Infinity, first);
  return from === -Infinity ? span : { ...span, from };
}

/**
 * Has a store remove what is no longer kept, bit by bit beside the writes, so that neither a timer nor a long pause is
 * needed. Reading does not depend on it.
 */
export class Pruning {
  private prunedOn: Day | undefined;
  private running = false;

  constructor(
    private readonly store: Pick<MetricsStore, 'prune'>,
    private readonly keep: KeepDays,
  ) {}

  /** Called after each write. */
  step(today: Day): void {
    const { hours, days } = this.keep;
    if ((hours === undefined && days === undefined) || this.running || this.prunedOn === today) {
      return;
    }
    this.running = true;
    void this.run(today);
  }

  private async run(today: Day): Promise<void> {
    const { hours, days } = keptFrom(this.keep, today);
    try {
      const done = await this.store.prune({
        hours: hours === -Infinity ? undefined : hours,
        days: days === -Infinity ? undefined : days,
      });
      if (done) {
        this.prunedOn = today;
      }
    } catch {
      // The writes of a store in trouble say so themselves; the next one tries again.
    } finally {
      this.running = false;
    }
  }
}
