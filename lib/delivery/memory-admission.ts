import type { TrackingEvent } from '../core/event.js';
import { eventBytes } from '../core/event.js';
import type { MaybePromise } from '../core/processor.js';
import type { BacklogHost } from './backlog.js';
import type { EventStamp } from './event-stamp.js';
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
  private readonly stamp: EventStamp | undefined;
  private closed = false;

  constructor(
    private readonly store: AdmissionStore,
    private readonly settings: MemoryBacklogSettings,
    { clock, blockTimeoutMs, stamp }: BacklogHost,
  ) {
    this.stamp = stamp;
    this.waiters = new RoomWaiters(clock, blockTimeoutMs);
  }

  append(events: readonly TrackingEvent[], wait: boolean): MaybePromise<number> {
    for (let i = 0; i < events.length; i++) {
      if (!this.take(events[i] as TrackingEvent, this.takes)) {
        return wait && this.settings.overflow === 'block' ? this.appendWhenRoom(events, i) : i;
      }
    }
    return events.length;
  }

  readonly hasRoom = (bytes: number): boolean => {
    const { store, settings } = this;
    return store.depth < settings.maxEvents && store.bytes + bytes <= settings.maxBytes;
  };

  /** There is more room. */
  admit(): void {
    this.waiters.admit();
  }

  close(): void {
    this.closed = true;
    this.waiters.refuseAll();
  }

  /** Room is needed for what is stored, so the stamp comes first; an event that finds none leaves no trace in it. */
  private take(event: TrackingEvent, finds: (bytes: number) => boolean): boolean {
    const stamped = this.stamp?.put(event) ?? event;
    const bytes = eventBytes(stamped);
    if (finds(bytes)) {
      this.store.accept(stamped, bytes);
      return true;
    }
    if (stamped !== event) {
      this.stamp?.takeBack([stamped]);
    }
    return false;
  }

  /** Makes room, where that is the policy. */
  private readonly takes = (bytes: number): boolean => {
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
  };

  private async appendWhenRoom(events: readonly TrackingEvent[], from: number): Promise<number> {
    for (let i = from; i < events.length; i++) {
      const event = events[i] as TrackingEvent;
      if (!this.take(event, this.takes) && !(await this.takeWhenRoom(event))) {
        return i;
      }
    }
    return events.length;
  }

  private async takeWhenRoom(event: TrackingEvent): Promise<boolean> {
    return this.closed || eventBytes(event) > this.settings.maxBytes
      ? false
      : await this.waiters.wait(() => this.take(event, this.hasRoom));
  }
}
