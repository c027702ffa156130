import type { LeaseRequest } from './backlog.js';
import type { MemoryEntry } from './memory-entry.js';
import { MemoryQueue } from './memory-queue.js';

/** The queues of all partitions; without partitions there is one, called ''. */
export class MemoryQueues {
  private readonly byPartition = new Map<string, MemoryQueue>();
  /** The one used last: most apps have no other. */
  private latest = new MemoryQueue('');

  constructor() {
    this.byPartition.set('', this.latest);
  }

  of(partition: string): MemoryQueue {
    if (this.latest.partition === partition) {
      return this.latest;
    }
    let queue = this.byPartition.get(partition);
    if (queue === undefined) {
      queue = new MemoryQueue(partition);
      this.byPartition.set(partition, queue);
    }
    this.latest = queue;
    return queue;
  }

  /** Of those that have a batch now, the one whose first event is the oldest. */
  next(request: LeaseRequest, now: number): MemoryQueue | undefined {
    let next: MemoryQueue | undefined;
    for (const queue of this.wanted(request)) {
      if (queue.availableIn(request, now) === 0 && seqOf(queue.first) < seqOf(next?.first)) {
        next = queue;
      }
    }
    return next;
  }

  availableIn(request: LeaseRequest, now: number): number | undefined {
    let earliest: number | undefined;
    for (const queue of this.wanted(request)) {
      const inMs = queue.availableIn(request, now);
      if (inMs !== undefined && inMs < (earliest ?? Infinity)) {
        earliest = inMs;
      }
    }
    return earliest;
  }

  oldest(): MemoryQueue['first'] {
    return this.withOldest()?.first;
  }

  evictOldest(): MemoryEntry | undefined {
    return this.withOldest()?.evict();
  }

  giveBack(partition: string, entries: readonly MemoryEntry[], blockedUntil: number | undefined): void {
    const queue = this.of(partition);
    queue.locked = false;
    if (blockedUntil !== undefined) {
      queue.blockedUntil = blockedUntil;
    }
    if (entries.length > 0) {
      queue.putBack(entries);
    } else if (queue.length === 0 && partition !== '') {
      this.byPartition.delete(partition);
      this.latest = this.byPartition.get('') as MemoryQueue;
    }
  }

  remove(entry: MemoryEntry, partition: string): void {
    this.byPartition.get(partition)?.remove(entry);
  }

  private wanted({ partition }: LeaseRequest): Iterable<MemoryQueue> {
    if (partition === undefined) {
      return this.byPartition.values();
    }
    const queue = this.byPartition.get(partition);
    return queue === undefined ? [] : [queue];
  }

  private withOldest(): MemoryQueue | undefined {
    let oldest: MemoryQueue | undefined;
    for (const queue of this.byPartition.values()) {
      if (seqOf(queue.first) < seqOf(oldest?.first)) {
        oldest = queue;
      }
    }
    return oldest;
  }
}

function seqOf(first: MemoryQueue['first']): number {
  return first?.seq ?? Infinity;
}
