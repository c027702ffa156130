export interface ConcurrencyRange {
  readonly min: number;
  readonly max: number;
}

/** An answer that takes so many times as long as the fastest, and this much longer, is slow. */
const KEEPS_PACE = { times: 2, plusMs: 10 } as const;
const SLOWS_DOWN = { times: 4, plusMs: 50 } as const;
/** The fastest answer is forgotten little by little: destinations change. */
const FORGETTING = 1.005;
const SHRINK_WHEN_SLOW = 0.8;

/**
 * How many requests may be under way. One more with each answer that came at the destination's usual pace while all were
 * in use; fewer when it slows down, half when it fails.
 */
export class AdaptiveConcurrency {
  private exact: number;
  private fastestMs = Infinity;
  /** Answers to what was sent before the last change say nothing about it. */
  private settling = 0;

  constructor(private readonly range: ConcurrencyRange) {
    this.exact = range.min;
  }

  get limit(): number {
    return Math.floor(this.exact);
  }

  /** @param saturated whether all that were allowed were under way */
  answered(latencyMs: number, saturated: boolean): void {
    this.fastestMs = Math.min(latencyMs, this.fastestMs * FORGETTING);
    if (this.settling > 0) {
      this.settling--;
    } else if (latencyMs > beyond(this.fastestMs, SLOWS_DOWN)) {
      this.shrink(SHRINK_WHEN_SLOW);
    } else if (saturated && latencyMs <= beyond(this.fastestMs, KEEPS_PACE)) {
      this.exact = Math.min(this.range.max, this.exact + 1);
    }
  }

  failed(): void {
    if (this.settling > 0) {
      this.settling--;
    } else {
      this.shrink(0.5);
    }
  }

  private shrink(factor: number): void {
    this.settling = this.limit;
    this.exact = Math.max(this.range.min, this.exact * factor);
  }
}

function beyond(
  fastestMs: number,
  { times, plusMs }: { readonly times: number; readonly plusMs: number },
): number {
  return fastestMs * times + plusMs;
}
