import type { Clock } from './clock.js';
import type { Limits } from './limits.js';
import { TimeoutQueue } from './timeout-queue.js';

/** Most that wait for room at one node. */
const MAX_WAITING = 10_000;

/** What some work may take: a count, and bytes. */
interface Room {
  count: number;
  bytes: number;
}

interface Waiter {
  readonly bytes: number;
  readonly admit: () => void;
}

/**
 * Bounds what one node of the topology has under way: how many, how large. As many bytes again may wait for room.
 *
 * Invariants
 * - Those who wait get room in the order in which they came, and have it in the moment in which it is given: nobody waits
 *   for longer than the block timeout.
 */
export class PendingWork {
  private readonly taken: Room = { count: 0, bytes: 0 };
  private readonly asked: Room = { count: 0, bytes: 0 };
  private readonly waiting = new Set<Waiter>();
  private readonly timeouts: TimeoutQueue;

  constructor(
    clock: Clock,
    private readonly limits: Pick<Limits, 'maxPending' | 'pendingBytes' | 'blockTimeoutMs'>,
  ) {
    this.timeouts = new TimeoutQueue(clock, limits.blockTimeoutMs);
  }

  /** Whether nothing is under way: then there is room for anything. */
  get isIdle(): boolean {
    return this.taken.count === 0 && this.waiting.size === 0;
  }

  /** Takes room that is there, to be given back with `leave`. */
  enter(bytes: number): void {
    this.taken.count++;
    this.taken.bytes += bytes;
  }

  /** Takes room, to be given back with `leave`; false when there is none. */
  tryEnter(bytes: number): boolean {
    return this.waiting.size === 0 && this.take(this.taken, bytes, this.limits.maxPending);
  }

  /** Waits for room and takes it; false when there was none within the block timeout, or too many wait already. */
  enterWhenRoom(bytes: number): Promise<boolean> {
    if (this.tryEnter(bytes)) {
      return Promise.resolve(true);
    }
    if (!this.take(this.asked, bytes, MAX_WAITING)) {
      return Promise.resolve(false);
    }
    return new Promise((resolve) => {
      const end = (hasRoom: boolean): void => {
        this.waiting.delete(waiter);
        give(this.asked, bytes);
        resolve(hasRoom);
      };
      const waiter: Waiter = {
        bytes,
        admit: () => {
          stop();
          end(true);
        },
      };
      const stop = this.timeouts.start(() => {
        end(false);
        // Whoever stood behind this one may be smaller.
        this.admitWaiting();
      });
      this.waiting.add(waiter);
    });
  }

  leave(bytes: number): void {
    give(this.taken, bytes);
    this.admitWaiting();
  }

  private admitWaiting(): void {
    for (const waiter of this.waiting) {
      if (!this.take(this.taken, waiter.bytes, this.limits.maxPending)) {
        return;
      }
      waiter.admit();
    }
  }

  /** One that is larger than all the room has it to itself. */
  private take(room: Room, bytes: number, maxCount: number): boolean {
    const { pendingBytes } = this.limits;
    const fits = room.count < maxCount && (room.count === 0 || room.bytes + bytes <= pendingBytes);
    if (fits) {
      room.count++;
      room.bytes += bytes;
    }
    return fits;
  }
}

function give(room: Room, bytes: number): void {
  room.count--;
  room.bytes -= bytes;
}
