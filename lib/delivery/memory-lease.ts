import type { Lease, Settlement } from './backlog.js';
import type { Holder } from './memory-entry.js';
import { MemoryEntry } from './memory-entry.js';

/** What a lease asks of the backlog that it is of. */
export interface LeaseOwner {
  settled(entry: MemoryEntry, outcome: Settlement['outcome']): void;
  /** Nothing of the lease is left: what was not settled is to wait again. */
  ended(lease: MemoryLease, left: readonly MemoryEntry[], afterMs: number): void;
}

export class MemoryLease implements Lease, Holder {
  private left: number;
  private oldest = 0;
  private open = true;

  constructor(
    readonly token: string,
    readonly partition: string,
    readonly events: readonly MemoryEntry[],
    private readonly owner: LeaseOwner,
  ) {
    this.left = events.length;
    for (const entry of events) {
      entry.holder = this;
    }
  }

  settle(settlements: readonly Settlement[]): void {
    for (const { events, outcome } of settlements) {
      for (const event of events) {
        if (event instanceof MemoryEntry) {
          this.settleOne(event, outcome);
        }
      }
    }
  }

  renew(): boolean {
    return this.open;
  }

  release(afterMs = 0): void {
    if (this.open) {
      const left = this.events.filter((entry) => entry.holder === this && !entry.gone);
      this.end(left, afterMs);
    }
  }

  entryGone(): void {
    this.left--;
    if (this.left === 0) {
      this.end([], 0);
    }
  }

  /** The first of its events that is not settled. */
  firstLeft(): MemoryEntry | undefined {
    while (this.events[this.oldest]?.gone === true) {
      this.oldest++;
    }
    return this.events[this.oldest];
  }

  private settleOne(entry: MemoryEntry, outcome: Settlement['outcome']): void {
    if (entry.gone || (entry.holder !== this && outcome !== 'delivered')) {
      return;
    }
    const { holder } = entry;
    entry.gone = true;
    this.owner.settled(entry, outcome);
    holder?.entryGone();
  }

  private end(left: readonly MemoryEntry[], afterMs: number): void {
    this.open = false;
    for (const entry of left) {
      entry.holder = undefined;
    }
    this.owner.ended(this, left, afterMs);
  }
}
