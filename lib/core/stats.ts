import { isRecord } from './options.js';

/** Counts by reason. At most 100 reasons are kept apart, more count as `other`. */
export type ReasonCounts = Readonly<Record<string, number>>;

/** `accepted = delivered + dead + depth` always holds; `dropped` is what was never accepted. */
export interface BackendStats {
  readonly accepted: number;
  readonly delivered: number;
  readonly retried: number;
  readonly dead: number;
  readonly dropped: ReasonCounts;
  /** Accepted events that are neither delivered nor dead. */
  readonly depth: number;
  /** Age of the oldest of them. */
  readonly oldestMs?: number;
  readonly lastError?: string;
  /** Epoch milliseconds of the latest delivery. */
  readonly lastDeliveredAt?: number;
  readonly state: 'ok' | 'retrying' | 'paused' | 'closed';
  /** Why it is paused: `unauthorised`, `refusing_everything`. */
  readonly stateReason?: string;
}

export interface TrackerStats {
  /** Events that passed the tracker's own processors. */
  readonly accepted: number;
  /** Events dropped when they were created, or by a processor, here or in a branch. */
  readonly dropped: ReasonCounts;
  /** How often a processor failed. */
  readonly processorErrors: number;
  readonly backends: Readonly<Record<string, BackendStats>>;
}

/** Whether a backend's answer can be shown and added up. */
export function isBackendStats(value: unknown): value is BackendStats {
  return (
    isRecord(value) && ['accepted', 'delivered', 'dead', 'depth'].every((key) => Number.isFinite(value[key]))
  );
}

const MAX_REASONS = 100;
const OTHER = 'other';

/** Counts reasons, bounded. */
export class ReasonCounter {
  private readonly counts = new Map<string, number>();

  add(reason: string, count = 1): void {
    const key = this.counts.has(reason) || this.counts.size < MAX_REASONS ? reason : OTHER;
    this.counts.set(key, (this.counts.get(key) ?? 0) + count);
  }

  snapshot(): ReasonCounts {
    return Object.fromEntries(this.counts);
  }
}
