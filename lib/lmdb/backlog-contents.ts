import type { TrackingEvent } from '../core/event/event.js';
import { eventBytes } from '../core/event/event.js';
import type { BacklogHost, LeaseRequest } from '../delivery/backlog.js';
import type { BacklogFile } from './backlog-file.js';
import type { EventRange, Fresh, Victim } from './chunk.js';
import { Chunk } from './chunk.js';
import type { ChunkReader } from './chunk-reader.js';
import { readChunk } from './chunk-reader.js';
import { ChunkTable } from './chunk-table.js';
import { LmdbEntry } from './lmdb-lease.js';
import { waitingOf } from './waiting-numbers.js';
import type { WaitingQueue } from './waiting-queue.js';
import { WaitingQueues } from './waiting-queues.js';

/**
 * What a backlog holds, in memory: which events wait, in which order, and where they are stored. Events that this
 * process accepted are numbered upwards from 0, those that it found or adopted downwards, so that they come first.
 *
 * Invariant: an event that is neither delivered nor dead is in exactly one of: a chunk that is not stored yet, a queue,
 * a lease.
 */
export class BacklogContents {
  accepted = 0;
  delivered = 0;
  dead = 0;
  depth = 0;
  bytes = 0;
  /** Of what waits in memory for the disk. */
  unstoredBytes = 0;
  readonly own = new ChunkTable();
  readonly found = new ChunkTable();
  readonly queues = new WaitingQueues((seq) => this.chunkOf(seq).acceptedAt);
  /** Entries of the leases that are out. */
  readonly held = new Map<number, LmdbEntry>();
  /** Times that events were tried, of those that wait. */
  private readonly attempts = new Map<number, number>();
  private nextSeq = 0;
  private firstFound = 0;
  private missingTold = false;
  private fresh: Chunk[] = [];

  constructor(
    private readonly file: BacklogFile,
    private readonly host: BacklogHost,
    /** Called when nothing is left of a range that was found. */
    private readonly emptied: (range: EventRange) => void,
  ) {}

  get mark(): number {
    return this.nextSeq;
  }

  get oldestAt(): number | undefined {
    return (this.found.oldest ?? this.own.oldest)?.acceptedAt;
  }

  chunkOf(seq: number): Chunk {
    return (seq < 0 ? this.found : this.own).of(seq);
  }

  /** A chunk that takes new events until it is stored. */
  begin(range: EventRange, fresh: Fresh): Chunk {
    const acceptedAt = Math.floor(this.host.time());
    const chunk = new Chunk(range, this.nextSeq, acceptedAt, {
      ...{ seq: 0, count: 0, size: 0 },
    });
    chunk.fresh = fresh;
    range.chunks++;
    this.fresh.push(chunk);
    this.own.push(chunk);
    return chunk;
  }

  add(chunk: Chunk, event: TrackingEvent, bytes: number): void {
    chunk.fresh?.events.push(event);
    chunk.fresh?.partitions.push(this.host.partitionOf?.(event) ?? '');
    chunk.count++;
    chunk.size += bytes;
    this.unstoredBytes += bytes;
    this.nextSeq++;
    this.depth++;
    this.bytes += bytes;
  }

  /** The chunk is in the file: its events may be leased. */
  stored(chunk: Chunk): void {
    const { fresh } = chunk;
    if (fresh === undefined) {
      return;
    }
    this.noLongerFresh(chunk);
    let queue: WaitingQueue | undefined;
    fresh.events.forEach((event, index) => {
      if (!chunk.isGone(index)) {
        const partition = fresh.partitions[index] as string;
        if (queue?.partition !== partition) {
          queue = this.queues.of(partition);
        }
        queue.push(chunk.base + index, eventBytes(event));
      }
    });
    this.ifSettled(chunk);
  }

  /** The chunk is not in the file, and what it holds was never accepted. */
  notStored(chunk: Chunk): void {
    this.noLongerFresh(chunk);
    this.own.remove((one) => one === chunk);
    this.forget(chunk);
  }

  /** Gives numbers to what lies in a range that somebody else accepted. */
  number(chunks: readonly Chunk[]): void {
    for (const { count } of chunks) {
      this.firstFound -= count;
    }
    let base = this.firstFound;
    for (const chunk of chunks) {
      chunk.base = base;
      base += chunk.count;
    }
  }

  /** The chunk will never be in the file; what it holds was accepted. Answers the events. */
  giveUp(chunk: Chunk): TrackingEvent[] {
    const events =
      chunk.fresh?.events.filter((_, index) => !chunk.isGone(index)) ?? [];
    this.accepted += events.length;
    this.dead += events.length;
    this.notStored(chunk);
    return events;
  }

  /** Takes over chunks that have their numbers and follow each other. */
  load(
    chunks: readonly Chunk[],
    partitions: ReadonlyMap<Chunk, readonly string[]>,
  ): void {
    this.found.insert(chunks);
    for (const chunk of chunks) {
      this.accepted += chunk.left;
      this.depth += chunk.left;
      this.bytes += chunk.bytes;
      chunk.range.chunks++;
    }
    for (const [name, { seqs, bytes }] of waitingOf(chunks, partitions)) {
      this.queues.of(name).putBack(seqs, Math.round(bytes));
    }
  }

  /** The next events of a queue that fit into one batch; at least one, unless others settled all of them. */
  take(
    queue: WaitingQueue,
    { maxEvents, maxBytes }: LeaseRequest,
  ): LmdbEntry[] {
    const entries: LmdbEntry[] = [];
    const vanished: Parameters<BacklogContents['settledElsewhere']>[] = [];
    let bytes = 0;
    let taken = 0;
    let chunk: Chunk | undefined;
    let reader: ChunkReader | undefined;
    for (; entries.length < maxEvents; taken++) {
      const seq = queue.at(taken);
      if (seq === undefined) {
        break;
      }
      if (chunk === undefined || seq >= chunk.base + chunk.count) {
        chunk = this.chunkOf(seq);
        reader = readChunk(this.file, chunk);
      }
      const index = seq - chunk.base;
      if (reader === undefined || reader.isMarked(index)) {
        vanished.push([chunk, index, reader?.sizeOf(index)]);
        continue;
      }
      const size = reader.sizeOf(index);
      if (entries.length > 0 && bytes + size > maxBytes) {
        break;
      }
      bytes += size;
      const entry = new LmdbEntry(
        reader.value,
        reader.offsetOf(index),
        size,
        seq,
        chunk,
      );
      entry.attempts = this.attempts.get(seq) ?? 0;
      entries.push(entry);
    }
    queue.drop(taken, bytes);
    for (const [gone, index, size] of vanished) {
      this.settledElsewhere(gone, index, size);
    }
    for (const entry of entries) {
      this.attempts.delete(entry.seq);
      this.held.set(entry.seq, entry);
    }
    return entries;
  }

  giveBack(queue: WaitingQueue, entries: readonly LmdbEntry[]): void {
    let bytes = 0;
    for (const entry of entries) {
      bytes += entry.bytes;
      this.held.delete(entry.seq);
      if (entry.attempts > 0) {
        this.attempts.set(entry.seq, entry.attempts);
      }
    }
    queue.putBack(
      entries.map(({ seq }) => seq),
      bytes,
    );
  }

  settled(entry: LmdbEntry, delivered: boolean): void {
    entry.state = 'gone';
    this.held.delete(entry.seq);
    this.attempts.delete(entry.seq);
    this.depth--;
    this.bytes -= entry.bytes;
    if (delivered) {
      this.delivered++;
    } else {
      this.dead++;
    }
    entry.chunk.markGone(entry.index, entry.bytes);
    this.ifSettled(entry.chunk);
  }

  /** Gives up the oldest event that nobody has in care. */
  evictOldest(): Victim | undefined {
    const queue = this.queues.withOldest();
    const seq = queue?.first;
    if (queue === undefined || seq === undefined) {
      return this.evictFresh();
    }
    const chunk = this.chunkOf(seq);
    const index = seq - chunk.base;
    const reader = readChunk(this.file, chunk);
    const size = reader?.sizeOf(index);
    queue.drop(1, size ?? 0);
    if (reader === undefined || size === undefined || reader.isMarked(index)) {
      this.settledElsewhere(chunk, index, size);
      return this.evictOldest();
    }
    const event = reader.eventOf(index);
    chunk.markGone(index, size);
    this.ifSettled(chunk);
    return this.evicted(event, size, chunk);
  }

  /** Somebody else took a range that was thought to be ours, before anything of it was leased. */
  lose(range: EventRange): void {
    range.lost = true;
    for (const chunk of this.found.remove((one) => one.range === range)) {
      this.forget(chunk);
      for (const queue of this.queues.all()) {
        queue.forget(chunk.base, chunk.base + chunk.count);
      }
    }
  }

  /** Somebody else holds everything that is stored. */
  loseAll(): void {
    for (const table of [this.own, this.found]) {
      for (const chunk of table.remove(({ fresh }) => fresh === undefined)) {
        chunk.range.lost = true;
        this.forget(chunk);
      }
    }
    this.queues.clear();
    this.held.clear();
    this.attempts.clear();
  }

  private evictFresh(): Victim | undefined {
    for (const chunk of this.fresh) {
      const index = chunk.firstLeft();
      const event = chunk.fresh?.events[index];
      if (event !== undefined) {
        const bytes = eventBytes(event);
        if (chunk.fresh?.written === true) {
          chunk.markGone(index, bytes);
          return this.evicted(event, bytes, chunk);
        }
        chunk.dropFirst(bytes);
        this.unstoredBytes -= bytes;
        return this.evicted(event, bytes);
      }
    }
    return undefined;
  }

  private evicted(event: TrackingEvent, bytes: number, chunk?: Chunk): Victim {
    this.depth--;
    this.bytes -= bytes;
    this.dead++;
    return { event, chunk };
  }

  /** It was never ours, it turns out. */
  private settledElsewhere(
    chunk: Chunk,
    index: number,
    size = Math.floor(chunk.bytes / chunk.left),
  ): void {
    if (!chunk.range.adopted && !this.missingTold) {
      this.missingTold = true;
      this.host.report({
        code: 'backlog_failed',
        message: `${this.file.path} no longer holds events that were stored there; somebody else changed it`,
      });
    }
    this.accepted--;
    this.depth--;
    this.bytes -= size;
    chunk.markGone(index, size);
    this.ifSettled(chunk);
  }

  private noLongerFresh(chunk: Chunk): void {
    this.fresh.splice(this.fresh.indexOf(chunk), 1);
    this.unstoredBytes -= chunk.size;
    chunk.fresh = undefined;
  }

  private forget(chunk: Chunk): void {
    this.accepted -= chunk.left;
    this.depth -= chunk.left;
    this.bytes -= chunk.bytes;
    chunk.range.chunks--;
  }

  private ifSettled(chunk: Chunk): void {
    if (chunk.left === 0 && chunk.fresh === undefined) {
      const { range } = chunk;
      range.chunks--;
      (chunk.base < 0 ? this.found : this.own).settled();
      if (range.chunks === 0 && range.adopted) {
        this.emptied(range);
      }
    }
  }
}
