import type { BackendStats } from '../core/stats.js';

/** Reasons of a backend that refuses: what was dropped for another one, the app wanted dropped. */
const REFUSALS = ['overflow', 'failed'] as const;

export type LossReason = (typeof REFUSALS)[number];

interface Seen {
  refused: Readonly<Record<LossReason, number>>;
  /** When events were last lost; milliseconds of the clock. */
  readonly lastAt: Partial<Record<LossReason, number>>;
}

/** When backends lost events: a count alone does not tell an outage of last month from one that goes on. */
export class Losses {
  /** Bounded by the paths of a topology. */
  private readonly byPath = new Map<string, Seen>();

  constructor(private readonly now: () => number) {}

  /** Events had to leave a full backlog just now. */
  evicted(path: string): void {
    this.seen(path).lastAt.overflow = this.now();
  }

  /** Looks at the counts. What grew since the last look counts as lost now. */
  look(path: string, { dropped }: BackendStats): void {
    const seen = this.seen(path);
    const refused = { ...seen.refused };
    for (const reason of REFUSALS) {
      refused[reason] = dropped[reason] ?? 0;
      if (refused[reason] > seen.refused[reason]) {
        seen.lastAt[reason] = this.now();
      }
    }
    seen.refused = refused;
  }

  /** Why a backend lost events in the last `windowMs`. */
  within(path: string, windowMs: number): LossReason[] {
    const { lastAt } = this.seen(path);
    const since = this.now() - windowMs;
    return REFUSALS.filter((reason) => (lastAt[reason] ?? -Infinity) > since);
  }

  private seen(path: string): Seen {
    let seen = this.byPath.get(path);
    if (seen === undefined) {
      seen = { refused: { overflow: 0, failed: 0 }, lastAt: {} };
      this.byPath.set(path, seen);
    }
    return seen;
  }
}
