import type { Clock } from './clock.js';
import { Deadlines } from './deadlines.js';

interface PendingBounds {
  readonly maxPending: number;
  readonly pendingBytes: number;
  /** Longest wait for room. */
  readonly blockTimeoutMs: number;
}

interface Waiter {
  readonly bytes: number;
  readonly admit: () => void;
}

/**
 * Bounds what one node of the topology has under way: how many, how large.
 *
 * Invariants
 * - Those who wait get room in the order in which they came, and have it in the moment in which it is given: nobody waits
 *   for longer than the block timeout.
 */
export class PendingWork {
  private count = 0;
  private bytes = 0;
  private readonly blocked: Deadlines;
  private readonly waiting = new Set<Waiter>();

  constructor(
    clock: Clock,
    private readonly bounds: PendingBounds,
  ) {
    this.blocked = new Deadlines(clock, bounds.blockTimeoutMs);
  }

  hasRoom(bytes: number): boolean {
    return (
      this.count < this.bounds.maxPending &&
      (this.count === 0 || this.bytes + bytes <= this.bounds.pendingBytes)
    );
  }

  /** Waits for room and takes it, to be given back with `leave`; false when there was none within the block timeout. */
  enterWhenRoom(bytes: number): Promise<boolean> {
    return new Promise((resolve) => {
      const waiter: Waiter = {
        bytes,
        admit: () => {
          stop();
          resolve(true);
        },
      };
      const stop = this.blocked.start(() => {
        this.waiting.delete(waiter);
        resolve(false);
        // Whoever stood behind this one may be smaller.
        this.admitWaiting();
      });
      this.waiting.add(waiter);
      this.admitWaiting();
    });
  }

  /** Takes room for work that has begun. */
  enter(bytes: number): void {
    this.count++;
    this.bytes += bytes;
  }

  leave(bytes: number): void {
    this.count--;
    this.bytes -= bytes;
    this.admitWaiting();
  }

  private admitWaiting(): void {
    for (const waiter of this.waiting) {
      if (!this.hasRoom(waiter.bytes)) {
        return;
      }
      this.waiting.delete(waiter);
      this.enter(waiter.bytes);
      waiter.admit();
    }
  }
}
