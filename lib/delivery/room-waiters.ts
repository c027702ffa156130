import type { Clock } from '../core/clock.js';
import { Deadlines } from '../core/bounds/deadlines.js';

interface Waiter {
  readonly bytes: number;
  /** Takes the room in the moment in which it is given, so that nobody else can. */
  readonly take: () => void;
  readonly end: (admitted: boolean) => void;
}

/** Those who wait for room, admitted in the order in which they came. */
export class RoomWaiters {
  private readonly waiting = new Set<Waiter>();
  private readonly deadlines: Deadlines;

  constructor(
    clock: Clock,
    timeoutMs: number,
    private readonly hasRoom: (bytes: number) => boolean,
  ) {
    this.deadlines = new Deadlines(clock, timeoutMs);
  }

  get isEmpty(): boolean {
    return this.waiting.size === 0;
  }

  /** Resolves to whether room was given, and taken, before the time was up. */
  wait(bytes: number, take: () => void): Promise<boolean> {
    return new Promise((resolve) => {
      const stop = this.deadlines.start(() => {
        waiter.end(false);
        // Whoever stood behind this one may be smaller.
        this.admit();
      });
      const waiter: Waiter = {
        bytes,
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
      if (!this.hasRoom(waiter.bytes)) {
        return;
      }
      waiter.take();
      waiter.end(true);
    }
  }

  refuseAll(): void {
    for (const waiter of this.waiting) {
      waiter.end(false);
    }
  }
}
