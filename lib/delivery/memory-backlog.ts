import type { TrackingEvent } from '../core/event.js';
import { eventBytes, eventJson } from '../core/event.js';
import type { MaybePromise } from '../core/processor.js';
import type { Backlog, BacklogHost, BacklogStats, LeaseRequest, Settlement } from './backlog.js';
import type { DeadLetter, DeadLetterFilter } from './dead-letter.js';
import type { AdmissionStore } from './memory-admission.js';
import { MemoryAdmission } from './memory-admission.js';
import type { MemoryBacklogOptions, MemoryBacklogSettings } from './memory-backlog-options.js';
import { memoryBacklogSettings } from './memory-backlog-options.js';
import { MemoryDeadLetters } from './memory-dead-letters.js';
import type { MemoryEntry } from './memory-entry.js';
import type { LeaseOwner } from './memory-lease.js';
import { MemoryLease } from './memory-lease.js';
import type { MemoryQueue } from './memory-queue.js';
import { MemoryQueues } from './memory-queues.js';

/**
 * A backlog in memory, bounded. What it holds when the process ends goes to `onDeadLetter`; what a killed process held
 * is lost.
 *
 * @throws TrackingError `invalid_options` with every problem
 */
export function memoryBacklog(options: MemoryBacklogOptions = {}): Backlog {
  return new MemoryBacklog(memoryBacklogSettings(options));
}

class MemoryBacklog implements Backlog, AdmissionStore, LeaseOwner {
  readonly lasting = false;
  depth = 0;
  bytes = 0;
  private readonly queues = new MemoryQueues();
  private readonly leases = new Set<MemoryLease>();
  private readonly graves: MemoryDeadLetters;
  private entrance: MemoryAdmission | undefined;
  private host: BacklogHost | undefined;
  private tell: () => void = () => undefined;
  private nextSeq = 0;
  private accepted = 0;
  private delivered = 0;
  private dead = 0;
  private closed = false;

  constructor(private readonly settings: MemoryBacklogSettings) {
    this.graves = new MemoryDeadLetters(settings.deadLetters);
  }

  open(host: BacklogHost): void {
    if (this.host !== undefined) {
      throw new TypeError('a memoryBacklog() belongs to one backend only');
    }
    this.host = host;
    this.entrance = new MemoryAdmission(this, this.settings, host);
  }

  append(events: readonly TrackingEvent[], wait = false): MaybePromise<number> {
    return this.admission.append(events, wait);
  }

  lease(request: LeaseRequest): Promise<MemoryLease | undefined> {
    const host = this.opened();
    const queue = this.closed ? undefined : this.queues.next(request, host.time());
    if (queue === undefined) {
      return Promise.resolve(undefined);
    }
    const entries = queue.take(request);
    queue.locked = host.partitionOf !== undefined;
    const lease = new MemoryLease(String(entries[0]?.seq), queue.partition, entries, this);
    this.leases.add(lease);
    return Promise.resolve(lease);
  }

  availableIn(request: LeaseRequest): number | undefined {
    return this.closed ? undefined : this.queues.availableIn(request, this.opened().time());
  }

  onAvailable(listener: () => void): void {
    this.tell = listener;
  }

  mark(): number {
    return this.nextSeq;
  }

  isSettled(mark: number): boolean {
    return (this.oldest()?.seq ?? Infinity) >= mark;
  }

  stats(): BacklogStats {
    const { accepted, delivered, dead, depth, bytes } = this;
    const oldest = this.oldest();
    return {
      ...{ accepted, delivered, dead, depth, bytes },
      ...(oldest === undefined ? {} : { oldestMs: Math.max(0, this.opened().time() - oldest.acceptedAt) }),
    };
  }

  async *deadLetters(filter?: DeadLetterFilter): AsyncGenerator<DeadLetter> {
    yield* await Promise.resolve(this.graves.matching(filter));
  }

  replay(filter?: DeadLetterFilter): Promise<number> {
    let replayed = 0;
    for (const letter of this.graves.matching(filter)) {
      const bytes = eventBytes(letter.event);
      if (this.closed || !this.admission.hasRoom(bytes)) {
        break;
      }
      this.graves.remove(letter);
      this.dead--;
      replayed++;
      this.enqueue(letter.event, bytes);
    }
    return Promise.resolve(replayed);
  }

  close(): Promise<void> {
    this.closed = true;
    this.entrance?.close();
    return Promise.resolve();
  }

  settled(entry: MemoryEntry, outcome: Settlement['outcome']): void {
    if (entry.holder === undefined) {
      this.queues.remove(entry, this.partitionOf(entry));
    }
    this.depth--;
    this.bytes -= entry.bytes;
    if (outcome === 'delivered') {
      this.delivered++;
    } else {
      this.bury(entry.event, outcome);
    }
    this.admission.admit();
  }

  ended(lease: MemoryLease, left: readonly MemoryEntry[], afterMs: number): void {
    this.leases.delete(lease);
    this.queues.giveBack(lease.partition, left, afterMs > 0 ? this.opened().time() + afterMs : undefined);
    this.tell();
  }

  accept(event: TrackingEvent, bytes: number): void {
    this.accepted++;
    this.enqueue(event, bytes);
  }

  evict(): boolean {
    const victim = this.queues.evictOldest();
    if (victim === undefined) {
      return false;
    }
    victim.gone = true;
    this.depth--;
    this.bytes -= victim.bytes;
    this.bury(victim.event, { reason: 'overflow' });
    this.opened().lost([victim.event], { reason: 'overflow' });
    return true;
  }

  private enqueue(event: TrackingEvent, bytes: number): void {
    const host = this.opened();
    this.depth++;
    this.bytes += bytes;
    const queue = this.queues.of(host.partitionOf?.(event) ?? '');
    queue.push(eventJson(event), bytes, host.time(), this.nextSeq++);
    if (queue.length === 1 || queue.isFull(host.batch)) {
      this.tell();
    }
  }

  private bury(event: TrackingEvent, cause: Exclude<Settlement['outcome'], 'delivered'>): void {
    const { path, clock } = this.opened();
    this.dead++;
    this.graves.add({ ...cause, event, path, at: clock.now() });
  }

  private partitionOf(entry: MemoryEntry): string {
    return this.opened().partitionOf?.(entry.event) ?? '';
  }

  /** The oldest event that is neither delivered nor dead. */
  private oldest(): MemoryQueue['first'] {
    let oldest = this.queues.oldest();
    for (const lease of this.leases) {
      const first = lease.firstLeft();
      if (first !== undefined && first.seq < (oldest?.seq ?? Infinity)) {
        oldest = first;
      }
    }
    return oldest;
  }

  private get admission(): MemoryAdmission {
    return this.entrance ?? notOpen();
  }

  private opened(): BacklogHost {
    return this.host ?? notOpen();
  }
}

function notOpen(): never {
  throw new TypeError('the backlog is not open: it belongs to no backend');
}
