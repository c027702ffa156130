import type { Clock } from '../core/clock.js';
import { TimeoutQueue } from '../core/timeout-queue.js';

interface Waiter {
  /** Takes the room in the moment in which there is some, so that nobody else can; false while there is none. */
  readonly take: () => boolean;
  readonly end: (admitted: boolean) => void;
}

/** Those who wait for room, admitted in the order in which they came. */
export class RoomWaiters {
  private readonly waiting = new Set<Waiter>();
  private readonly timeouts: TimeoutQueue;

  constructor(clock: Clock, timeoutMs: number) {
    this.timeouts = new TimeoutQueue(clock, timeoutMs);
  }

  get isEmpty(): boolean {
    return this.waiting.size === 0;
  }

  /** Resolves to whether room was given, and taken, before the time was up. */
  wait(take: () => boolean): Promise<boolean> {
    return new Promise((resolve) => {
      const stop = this.timeouts.start(() => {
        waiter.end(false);
        // Whoever stood behind this one may be smaller.
        this.admit();
      });
      const waiter: Waiter = {
        take,
        end: (admitted) => {
          stop();
          this.waiting.delete(waiter);
          resolve(admitted);
        },
      };
      this.waiting.add(waiter);
    });
  }

  admit(): void {
    for (const waiter of this.waiting) {
      if (!waiter.take()) {
        return;
      }
      waiter.end(true);
    }
  }

  refuseAll(): void {
    for (const waiter of this.waiting) {
      waiter.end(false);
    }
  }
}
