import type { LeasedEvent } from './backlog.js';
import type { Batch, Line } from './batch.js';

/** Lines that wait for a lane, in the order in which they came. */
export class HeldLines<Payload> {
  private readonly lines = new Set<Line<Payload>>();

  get size(): number {
    return this.lines.size;
  }

  get all(): Iterable<Line<Payload>> {
    return this.lines;
  }

  get failing(): boolean {
    return [...this.lines].some((line) => line.failing);
  }

  add(line: Line<Payload>): void {
    this.lines.add(line);
  }

  /** Takes the first that may go now. */
  takeDue(now: number, mayGo: (line: Line<Payload>) => boolean): Line<Payload> | undefined {
    for (const line of this.lines) {
      if (line.dueAt <= now && mayGo(line)) {
        this.lines.delete(line);
        return line;
      }
    }
    return undefined;
  }

  /** When the first of those that may go is due. */
  nextDueAt(mayGo: (line: Line<Payload>) => boolean): number | undefined {
    let next: number | undefined;
    for (const line of this.lines) {
      if (mayGo(line) && line.dueAt < (next ?? Infinity)) {
        next = line.dueAt;
      }
    }
    return next;
  }

  /** How many start with a batch of at most so many events. */
  small(maxEvents: number): number {
    return [...this.lines].filter((line) => eventsOf(line) <= maxEvents).length;
  }

  /** Whether one of those has not been tried yet. */
  hasUntried(maxEvents: number): boolean {
    return [...this.lines].some((line) => eventsOf(line) <= maxEvents && attemptsOf(line) === 0);
  }

  /** Takes what is best to probe with: a small one, of those the one tried least. */
  takeProbe(maxEvents: number): Line<Payload> | undefined {
    let best: Line<Payload> | undefined;
    for (const line of this.lines) {
      if (best === undefined || isBetterProbe(line, best, maxEvents)) {
        best = line;
      }
    }
    if (best !== undefined) {
      this.lines.delete(best);
    }
    return best;
  }

  /** Takes the one that has the longest to wait. */
  takeLatest(): Line<Payload> | undefined {
    let latest: Line<Payload> | undefined;
    for (const line of this.lines) {
      if (latest === undefined || line.dueAt > latest.dueAt) {
        latest = line;
      }
    }
    if (latest !== undefined) {
      this.lines.delete(latest);
    }
    return latest;
  }

  /** Takes lines of which every event is as old as that; answers their batches. */
  takeOlder(ageOf: (event: LeasedEvent) => number, maxAgeMs: number): Batch<Payload>[] {
    const old = [...this.lines].filter((line) => {
      const newest = line.batches.at(-1)?.events.at(-1);
      return newest !== undefined && ageOf(newest) >= maxAgeMs;
    });
    for (const line of old) {
      this.lines.delete(line);
    }
    return old.flatMap((line) => line.batches);
  }

  takeAll(): Line<Payload>[] {
    const all = [...this.lines];
    this.lines.clear();
    return all;
  }

  /** They need not wait any longer, but for those that the destination told when to come. */
  recall(now: number): void {
    for (const line of this.lines) {
      if (!line.dueIsGiven) {
        line.dueAt = Math.min(line.dueAt, now);
      }
    }
  }

  /** Nothing waits any longer. */
  recallAll(): void {
    for (const line of this.lines) {
      line.dueAt = -Infinity;
    }
  }
}

function isBetterProbe<Payload>(line: Line<Payload>, than: Line<Payload>, maxEvents: number): boolean {
  const small = eventsOf(line) <= maxEvents;
  if (small !== eventsOf(than) <= maxEvents) {
    return small;
  }
  return small ? attemptsOf(line) < attemptsOf(than) : eventsOf(line) < eventsOf(than);
}

function eventsOf<Payload>(line: Line<Payload>): number {
  return line.head?.events.length ?? 0;
}

function attemptsOf<Payload>(line: Line<Payload>): number {
  return line.head?.attempts ?? 0;
}
