import type { TrackingEvent } from '../core/event/event.js';
import { eventBytes } from '../core/event/event.js';
import type { MaybePromise } from '../core/processing/processor.js';
import type { BacklogHost } from './backlog.js';
import type { MemoryBacklogSettings } from './memory-backlog-options.js';
import { RoomWaiters } from './room-waiters.js';

/** What an admission asks of the store that it is for. */
export interface AdmissionStore {
  /** Events that are neither delivered nor dead. */
  readonly depth: number;
  /** In bytes of their JSON. */
  readonly bytes: number;
  accept(event: TrackingEvent, bytes: number): void;
  /** Gives up the oldest event that nobody has in care; false when there is none. */
  evict(): boolean;
}

/** Takes events in as far as there is room, makes room where that is the policy, and has others wait for it. */
export class MemoryAdmission {
  private readonly waiters: RoomWaiters;
  private closed = false;

  constructor(
    private readonly store: AdmissionStore,
    private readonly settings: MemoryBacklogSettings,
    { clock, blockTimeoutMs }: BacklogHost,
  ) {
    this.waiters = new RoomWaiters(clock, blockTimeoutMs, (bytes) =>
      this.hasRoom(bytes),
    );
  }

  append(
    events: readonly TrackingEvent[],
    wait: boolean,
  ): MaybePromise<number> {
    for (let i = 0; i < events.length; i++) {
      const event = events[i] as TrackingEvent;
      const bytes = eventBytes(event);
      if (!this.takes(bytes)) {
        return wait && this.settings.overflow === 'block'
          ? this.appendWhenRoom(events, i)
          : i;
      }
      this.store.accept(event, bytes);
    }
    return events.length;
  }

  hasRoom(bytes: number): boolean {
    const { store, settings } = this;
    return (
      store.depth < settings.maxEvents &&
      store.bytes + bytes <= settings.maxBytes
    );
  }

  /** There is more room. */
  admit(): void {
    this.waiters.admit();
  }

  close(): void {
    this.closed = true;
    this.waiters.refuseAll();
  }

  /** Makes room, where that is the policy. */
  private takes(bytes: number): boolean {
    if (this.closed) {
      return false;
    }
    if (this.hasRoom(bytes)) {
      return this.waiters.isEmpty;
    }
    const { overflow, maxBytes } = this.settings;
    if (overflow !== 'dropOldest' || bytes > maxBytes) {
      return false;
    }
    while (!this.hasRoom(bytes)) {
      if (!this.store.evict()) {
        return false;
      }
    }
    return true;
  }

  private async appendWhenRoom(
    events: readonly TrackingEvent[],
    from: number,
  ): Promise<number> {
    for (let i = from; i < events.length; i++) {
      const event = events[i] as TrackingEvent;
      const bytes = eventBytes(event);
      if (this.takes(bytes)) {
        this.store.accept(event, bytes);
      } else if (!(await this.room(event, bytes))) {
        return i;
      }
    }
    return events.length;
  }

  private async room(event: TrackingEvent, bytes: number): Promise<boolean> {
    return this.closed || bytes > this.settings.maxBytes
      ? false
      : await this.waiters.wait(bytes, () => {
          this.store.accept(event, bytes);
        });
  }
}
