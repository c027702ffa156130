import type { TrackingEvent } from '../core/event.js';
import type { LeasedEvent } from './backlog.js';

/** Who has an event in care. */
export interface Holder {
  /** One of its events was settled, by itself or by another. */
  entryGone(): void;
}

/** One accepted event in memory. */
export class MemoryEntry implements LeasedEvent {
  attempts = 0;
  /** The lease that it is in; none while it waits. */
  holder: Holder | undefined = undefined;
  /** Delivered or dead. */
  gone = false;

  constructor(
    readonly event: TrackingEvent,
    readonly bytes: number,
    readonly acceptedAt: number,
    readonly seq: number,
  ) {}
}
