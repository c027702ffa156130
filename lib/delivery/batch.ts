import type { Lease, LeasedEvent } from './backlog.js';
import { bytesOf } from './batches.js';

/** Events that go together. A change of composition makes another batch. */
export class Batch<Payload> {
  /** Made once; every attempt sends the same bytes. */
  payload: Payload | undefined = undefined;
  /** How often these bytes went out. */
  sent = 0;
  readonly bytes: number;

  constructor(
    readonly lease: Lease,
    readonly events: readonly LeasedEvent[],
    readonly id: string,
    readonly requestId: string,
  ) {
    this.bytes = bytesOf(events);
  }

  /** How often its events were tried, in this batch and before. */
  get attempts(): number {
    return this.events.reduce((most, { attempts }) => Math.max(most, attempts), 0);
  }
}

/** Batches that go one after the other: those of one lease where order matters, else each alone. */
export class Line<Payload> {
  /** Monotonic time before which it is not tried again. */
  dueAt = -Infinity;
  /** Whether the destination itself said when; a recovery does not shorten that. */
  dueIsGiven = false;
  /** Its latest attempt failed. */
  failing = false;

  constructor(
    readonly partition: string,
    readonly batches: Batch<Payload>[],
  ) {}

  get head(): Batch<Payload> | undefined {
    return this.batches[0];
  }

  failed(dueAt: number, dueIsGiven: boolean): void {
    this.failing = true;
    this.dueAt = dueAt;
    this.dueIsGiven = dueIsGiven;
  }

  /** They are made anew before they go again. */
  forgetPayloads(): void {
    for (const batch of this.batches) {
      batch.payload = undefined;
    }
  }
}
