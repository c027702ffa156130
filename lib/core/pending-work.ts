import type { Clock } from './clock.js';
import type { Limits } from './limits.js';
import { TimeoutQueue } from './timeout-queue.js';

/** Most that wait for room at one node. */
const MAX_WAITING = 10_000;

interface Waiter {
  readonly bytes: number;
  readonly admit: () => void;
}

/**
 * Bounds what one node of the topology has under way: how many, how large. As many bytes again may wait for room,
 * behind the one that is next.
 *
 * Invariants
 * - Those who wait get room in the order in which they came, and have it in the moment in which it is given: nobody waits
 *   for longer than the block timeout.
 */
export class PendingWork {
  private count = 0;
  private bytes = 0;
  private waitingBytes = 0;
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
    return this.count === 0 && this.waiting.size === 0;
  }

  /** Takes room that is there, to be given back with `leave`. */
  enter(bytes: number): void {
    this.count++;
    this.bytes += bytes;
  }

  /** Takes room, to be given back with `leave`; false when there is none. */
  tryEnter(bytes: number): boolean {
    return this.waiting.size === 0 && this.take(bytes);
  }

  /** Waits for room and takes it; false when there was none within the block timeout, or too many wait already. */
  enterWhenRoom(bytes: number): Promise<boolean> {
    if (this.tryEnter(bytes)) {
      return Promise.resolve(true);
    }
    if (!this.mayWait(bytes)) {
      return Promise.resolve(false);
    }
    return new Promise((resolve) => {
      const end = (hasRoom: boolean): void => {
        this.waiting.delete(waiter);
        this.waitingBytes -= bytes;
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
      this.waitingBytes += bytes;
    });
  }

  leave(bytes: number): void {
    this.count--;
    this.bytes -= bytes;
    this.admitWaiting();
  }

  private admitWaiting(): void {
    for (const waiter of this.waiting) {
      if (!this.take(waiter.bytes)) {
        return;
      }
      waiter.admit();
    }
  }

  /** One that is larger than all the room has it to itself. */
  private take(bytes: number): boolean {
    const { maxPending, pendingBytes } = this.limits;
    const fits = this.count < maxPending && (this.count === 0 || this.bytes + bytes <= pendingBytes);
    if (fits) {
      this.enter(bytes);
    }
    return fits;
  }

  /** The next one is not counted: it may be larger than all the room, and must not refuse those behind it. */
  private mayWait(bytes: number): boolean {
    const [next] = this.waiting;
    return (
      next === undefined ||
      (this.waiting.size < MAX_WAITING && this.waitingBytes - next.bytes + bytes <= this.limits.pendingBytes)
    );
  }
}
