import type { Day } from './calendar.js';
import { DayPlaces } from './day-places.js';
import { DistinctMembers } from './distinct-members.js';
import { MemoryCounter, removeBefore } from './memory-counter.js';
import type {
  Change,
  Counter,
  DaySetting,
  FactsRecord,
  MembersOfDay,
  MetricsStore,
  Span,
  StoredFacts,
  UniqueKey,
} from './metrics-store.js';
import { OverflowError } from './metrics-store.js';
import { DAY_MS } from './time-zone.js';
import { TwoLevelMap } from './two-level-map.js';

/**
 * Counters in this process, for tests and for what may be lost at its end. Retention bounds what is kept per counter; how
 * many counters there are is up to the names that an app gives them.
 */
export function memoryMetricsStore(): MetricsStore {
  return new MemoryMetricsStore();
}

/** The part of a key that stands for "no subject": names are never empty. */
const NO_SUBJECT = '';

class MemoryMetricsStore implements MetricsStore {
  private readonly places = new DayPlaces();
  private readonly counters = new TwoLevelMap(() => new MemoryCounter(this.places));
  private readonly members = new TwoLevelMap(() => new Map<Day, DistinctMembers>());
  private readonly stored = new TwoLevelMap((): StoredFacts[] => []);

  increment(changes: readonly Change[]): Promise<readonly number[]> {
    const totals: number[] = [];
    for (const change of changes) {
      const counter = this.counters.make(change.subject, change.metric);
      if (!counter.add(change)) {
        this.undo(changes.slice(0, totals.length));
        return Promise.reject(new OverflowError(change));
      }
      totals.push(counter.total);
    }
    return Promise.resolve(totals);
  }

  set(setting: DaySetting): Promise<void> {
    const counter = this.counters.make(setting.subject, setting.metric);
    const by = setting.value - counter.valueOf(setting.day);
    return Number.isSafeInteger(by) && counter.add({ ...setting, by })
      ? Promise.resolve()
      : Promise.reject(new OverflowError(setting));
  }

  totals(counters: readonly Counter[]): Promise<readonly number[]> {
    return Promise.resolve(
      counters.map(({ subject, metric }) => this.counters.get(subject, metric)?.total ?? 0),
    );
  }

  days(counters: readonly Counter[], months: Span): ReturnType<MetricsStore['days']> {
    return Promise.resolve(
      counters.map(({ subject, metric }) => this.counters.get(subject, metric)?.monthBlocks(months) ?? []),
    );
  }

  hours(counters: readonly Counter[], days: Span): ReturnType<MetricsStore['hours']> {
    return Promise.resolve(
      counters.map(({ subject, metric }) => this.counters.get(subject, metric)?.dayBlocks(days) ?? []),
    );
  }

  addMembers(groups: readonly MembersOfDay[]): Promise<void> {
    for (const { metric, subject = NO_SUBJECT, day, hashes } of groups) {
      const days = this.members.make(subject, metric);
      const members = days.get(day) ?? new DistinctMembers();
      days.set(day, members);
      for (const hash of hashes) {
        members.add(hash);
      }
    }
    return Promise.resolve();
  }

  countMembers(
    { metric, subject = NO_SUBJECT }: UniqueKey,
    { from = -Infinity, to = Infinity }: Span,
  ): Promise<number> {
    const all = new DistinctMembers();
    for (const [day, members] of this.members.get(subject, metric) ?? []) {
      if (day >= from && day <= to) {
        all.merge(members);
      }
    }
    return Promise.resolve(all.count());
  }

  record(records: readonly FactsRecord[]): Promise<void> {
    for (const { subject, key, atMs, json } of records) {
      const stored = this.stored.make(subject, key);
      const later = stored.findLastIndex((other) => other.atMs <= atMs) + 1;
      stored.splice(later, 0, { atMs, json });
    }
    return Promise.resolve();
  }

  facts(
    { subject, key }: { readonly subject: string; readonly key: string },
    times: Span,
  ): Promise<readonly StoredFacts[]> {
    return Promise.resolve(within(this.stored.get(subject, key), times));
  }

  factsOf(key: string, times: Span): Promise<ReadonlyMap<string, readonly StoredFacts[]>> {
    const found = new Map<string, readonly StoredFacts[]>();
    for (const [subject, , stored] of this.stored.entries({ second: key })) {
      const facts = within(stored, times);
      if (facts.length > 0) {
        found.set(subject, facts);
      }
    }
    return Promise.resolve(found);
  }

  clear({ subject, metric }: Partial<Counter>): Promise<void> {
    for (const map of [this.counters, this.members, this.stored]) {
      map.delete({ first: subject, second: metric });
    }
    return Promise.resolve();
  }

  prune(before: { readonly hours?: Day | undefined; readonly days?: Day | undefined }): Promise<boolean> {
    const { hours, days } = before;
    for (const [, , counter] of this.counters.entries({})) {
      counter.prune(hours, days);
    }
    if (days !== undefined) {
      for (const [, , members] of this.members.entries({})) {
        removeBefore(members, days);
      }
      // A day of room for the time zone.
      const first = (days - 1) * DAY_MS;
      for (const [, , stored] of this.stored.entries({})) {
        const kept = stored.findIndex(({ atMs }) => atMs >= first);
        stored.splice(0, kept < 0 ? stored.length : kept);
      }
    }
    return Promise.resolve(true);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private undo(changes: readonly Change[]): void {
    for (const change of [...changes].reverse()) {
      this.counters.make(change.subject, change.metric).add({ ...change, by: -change.by });
    }
  }
}

function within(
  stored: readonly StoredFacts[] | undefined,
  { from = -Infinity, to = Infinity }: Span,
): StoredFacts[] {
  return (stored ?? []).filter(({ atMs }) => atMs >= from && atMs <= to);
}
