import type { TrackingEvent } from '../core/event/event.js';
import { storedEvent } from '../core/event/event.js';
import type { LeasedEvent } from './backlog.js';

/** Who has an event in care. */
export interface Holder {
  /** One of its events was settled, by itself or by another. */
  entryGone(): void;
}

/** One accepted event: its JSON lies as bytes beside the heap, where no collection has to look at it. */
export class MemoryEntry implements LeasedEvent {
  attempts = 0;
  /** The lease that it is in; none while it waits. */
  holder: Holder | undefined = undefined;
  /** Delivered or dead. */
  gone = false;
  private made: TrackingEvent | undefined = undefined;

  constructor(
    readonly id: string,
    private readonly chunk: Buffer,
    private readonly at: number,
    readonly bytes: number,
    readonly acceptedAt: number,
    readonly seq: number,
  ) {}

  get event(): TrackingEvent {
    return (this.made ??= storedEvent(
      this.chunk.toString('utf8', this.at, this.at + this.bytes),
      this.bytes,
    ));
  }

  writeJson(target: Buffer, at: number): void {
    this.chunk.copy(target, at, this.at, this.at + this.bytes);
  }
}
