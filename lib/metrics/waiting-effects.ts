import type { Change, FactsRecord, MembersOfDay } from './metrics-store.js';
import type { Effect } from './rule-effects.js';
import { HOURS_PER_DAY } from './time-zone.js';
import { TwoLevelMap } from './two-level-map.js';

/** A change that stands for several events. */
export interface SummedChange extends Required<Change> {
  by: number;
  events: number;
}

interface WaitingMembers extends Omit<MembersOfDay, 'hashes'> {
  readonly hashes: Set<number>;
}

/** What waits to be written, put together: events that change the same counter in the same hour are one change. */
export class WaitingEffects {
  /** Events whose effects these are. */
  events = 0;
  /** Counters, members and facts. */
  size = 0;
  readonly facts: FactsRecord[] = [];
  private readonly counts = new TwoLevelMap(() => new Map<number, SummedChange>());
  private readonly membersByDay = new TwoLevelMap(() => new Map<number, WaitingMembers>());

  get changes(): SummedChange[] {
    return this.counts.values().flatMap((hours) => [...hours.values()]);
  }

  get members(): MembersOfDay[] {
    return this.membersByDay
      .values()
      .flatMap((days) => [...days.values()])
      .map((group) => ({ ...group, hashes: [...group.hashes] }));
  }

  /** Takes the effects of one event. @throws RangeError, and takes none of them, for a sum that is not exact */
  add(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'count') {
        this.checkSum(effect.change);
      }
    }
    for (const effect of effects) {
      switch (effect.kind) {
        case 'count':
          this.addChange(effect.change);
          break;
        case 'member':
          this.addMember(effect);
          break;
        case 'facts':
          this.facts.push(effect.record);
          this.size++;
      }
    }
    this.events++;
  }

  /** By how much `size` would grow, at most. */
  growth(effects: readonly Effect[]): number {
    return effects.filter((effect) => !this.holds(effect)).length;
  }

  private holds(effect: Effect): boolean {
    switch (effect.kind) {
      case 'count': {
        const { subject, metric } = effect.change;
        const hours = this.counts.get(subject, metric);
        return hours?.has(hourOf(effect.change)) ?? false;
      }
      case 'member': {
        const { subject = '', metric } = effect.unique;
        const days = this.membersByDay.get(subject, metric);
        return days?.get(effect.day)?.hashes.has(effect.hash) ?? false;
      }
      case 'facts':
        return false;
    }
  }

  private checkSum(change: Required<Change>): void {
    const waiting = this.counts.get(change.subject, change.metric)?.get(hourOf(change));
    if (!Number.isSafeInteger((waiting?.by ?? 0) + change.by)) {
      throw new RangeError(
        `the sum of ${JSON.stringify(change.metric)} that waits would not be a safe integer`,
      );
    }
  }

  private addChange(change: Required<Change>): void {
    const hours = this.counts.make(change.subject, change.metric);
    const hour = hourOf(change);
    const waiting = hours.get(hour);
    if (waiting === undefined) {
      hours.set(hour, { ...change, events: 1 });
      this.size++;
    } else {
      waiting.by += change.by;
      waiting.events++;
    }
  }

  private addMember({ unique, day, hash }: Extract<Effect, { kind: 'member' }>): void {
    // Names are never empty: this one stands for no subject.
    const days = this.membersByDay.make(unique.subject ?? '', unique.metric);
    let group = days.get(day);
    if (group === undefined) {
      group = { ...unique, day, hashes: new Set() };
      days.set(day, group);
    }
    const before = group.hashes.size;
    this.size += group.hashes.add(hash).size - before;
  }
}

function hourOf({ day, hour }: Required<Change>): number {
  return day * HOURS_PER_DAY + hour;
}
