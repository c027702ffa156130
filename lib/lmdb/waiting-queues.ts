import type { LeaseRequest } from '../delivery/backlog.js';
import { WaitingQueue } from './waiting-queue.js';

/** The queues of all partitions; without partitions there is one, called ''. */
export class WaitingQueues {
  private readonly byPartition = new Map<string, WaitingQueue>();

  constructor(private readonly acceptedAt: (seq: number) => number) {}

  of(partition: string): WaitingQueue {
    let queue = this.byPartition.get(partition);
    if (queue === undefined) {
      queue = new WaitingQueue(partition);
      this.byPartition.set(partition, queue);
    }
    return queue;
  }

  all(): Iterable<WaitingQueue> {
    return this.byPartition.values();
  }

  /** Of those that have a batch now, the one whose first event is the oldest. */
  next(request: LeaseRequest, now: number): WaitingQueue | undefined {
    let next: WaitingQueue | undefined;
    for (const queue of this.wanted(request)) {
      if (queue.availableIn(request, now, this.acceptedAt) === 0 && firstOf(queue) < firstOf(next)) {
        next = queue;
      }
    }
    return next;
  }

  availableIn(request: LeaseRequest, now: number): number | undefined {
    let earliest: number | undefined;
    for (const queue of this.wanted(request)) {
      const inMs = queue.availableIn(request, now, this.acceptedAt);
      if (inMs !== undefined && inMs < (earliest ?? Infinity)) {
        earliest = inMs;
      }
    }
    return earliest;
  }

  withOldest(): WaitingQueue | undefined {
    let oldest: WaitingQueue | undefined;
    for (const queue of this.byPartition.values()) {
      if (firstOf(queue) < firstOf(oldest)) {
        oldest = queue;
      }
    }
    return oldest;
  }

  clear(): void {
    this.byPartition.clear();
  }

  /** Partitions come and go. */
  dropEmpty(queue: WaitingQueue): void {
    if (queue.length === 0 && !queue.locked) {
      this.byPartition.delete(queue.partition);
    }
  }

  private wanted({ partition }: LeaseRequest): Iterable<WaitingQueue> {
    if (partition === undefined) {
      return this.byPartition.values();
    }
    const queue = this.byPartition.get(partition);
    return queue === undefined ? [] : [queue];
  }
}

function firstOf(queue: WaitingQueue | undefined): number {
  return queue?.first ?? Infinity;
}
