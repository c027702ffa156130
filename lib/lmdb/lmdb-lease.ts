import type { Lease, LeasedEvent, Settlement } from '../delivery/backlog.js';
import { JsonBytes } from '../delivery/json-bytes.js';
import type { Chunk } from './chunk.js';

/** One event of a lease; its JSON lies in a copy of its chunk. */
export class LmdbEntry extends JsonBytes implements LeasedEvent {
  attempts = 0;
  /** The lease that has it in care; none once it was given back, or lost. */
  holder: LmdbLease | undefined = undefined;
  state: 'out' | 'settling' | 'gone' = 'out';

  constructor(
    value: Buffer,
    at: number,
    bytes: number,
    readonly seq: number,
    readonly chunk: Chunk,
  ) {
    super(value, at, bytes);
  }

  get acceptedAt(): number {
    return this.chunk.acceptedAt;
  }

  get index(): number {
    return this.seq - this.chunk.base;
  }
}

/** What a lease asks of the backlog that it is of. */
export interface LeaseOwner {
  settle(lease: LmdbLease, settlements: readonly Settlement[]): Promise<void>;
  /** Nothing of the lease is left: what was not settled is to wait again. */
  ended(lease: LmdbLease, left: readonly LmdbEntry[], afterMs: number): void;
}

export class LmdbLease implements Lease {
  open = true;
  private left: number;

  constructor(
    readonly token: string,
    readonly partition: string,
    readonly events: readonly LmdbEntry[],
    private readonly owner: LeaseOwner,
  ) {
    this.left = events.length;
    for (const entry of events) {
      entry.holder = this;
    }
  }

  settle(settlements: readonly Settlement[]): Promise<void> {
    return this.owner.settle(this, settlements);
  }

  renew(): boolean {
    return this.open;
  }

  release(afterMs = 0): void {
    if (this.open) {
      this.end(
        this.events.filter((entry) => entry.holder === this),
        afterMs,
      );
    }
  }

  /** One of its events was settled, by itself or by another. */
  entryGone(): void {
    this.left--;
    if (this.left === 0 && this.open) {
      this.end([], 0);
    }
  }

  /** Its events are somebody else's now. */
  lose(): void {
    this.open = false;
    for (const entry of this.events) {
      entry.holder = undefined;
    }
  }

  private end(left: readonly LmdbEntry[], afterMs: number): void {
    this.open = false;
    for (const entry of left) {
      entry.holder = undefined;
    }
    this.owner.ended(
      this,
      left.filter(({ state }) => state === 'out'),
      afterMs,
    );
  }
}
