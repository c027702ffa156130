import type { TrackingEvent } from '../core/event.js';
import { eventBytes } from '../core/event.js';
import type { BacklogHost } from '../delivery/backlog.js';
import type { BacklogFile } from './backlog-file.js';
import type { EventRange, Fresh } from './chunk.js';
import { Chunk } from './chunk.js';
import type { ChunkReader } from './chunk-reader.js';
import { readChunk } from './chunk-reader.js';
import { ChunkTable } from './chunk-table.js';
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
  /** Chunks that are not stored yet. */
  readonly fresh: Chunk[] = [];
  private nextSeq = 0;
  private firstFound = 0;
  private missingTold = false;

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

  /** Reads a stored chunk; undefined when it is not in the file. */
  readerOf(chunk: Chunk): ChunkReader | undefined {
    return readChunk(this.file, chunk);
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

  /** Events of a chunk that is not stored yet are larger than they were. */
  grow(chunk: Chunk, bytes: number): void {
    chunk.size += bytes;
    this.unstoredBytes += bytes;
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
    const events = chunk.fresh?.events.filter((_, index) => !chunk.isGone(index)) ?? [];
    this.accepted += events.length;
    this.dead += events.length;
    this.notStored(chunk);
    return events;
  }

  /** Takes over chunks that have their numbers and follow each other. */
  load(chunks: readonly Chunk[], partitions: ReadonlyMap<Chunk, readonly string[]>): void {
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

  /** An event is delivered or dead. */
  settled(chunk: Chunk, index: number, bytes: number, delivered: boolean): void {
    this.depth--;
    this.bytes -= bytes;
    if (delivered) {
      this.delivered++;
    } else {
      this.dead++;
    }
    chunk.markGone(index, bytes);
    this.ifSettled(chunk);
  }

  /** The first event of a chunk that nobody has written yet is dead. */
  dropFirst(chunk: Chunk, bytes: number): void {
    chunk.dropFirst(bytes);
    this.unstoredBytes -= bytes;
    this.depth--;
    this.bytes -= bytes;
    this.dead++;
  }

  /** It was never ours, it turns out. */
  settledElsewhere(chunk: Chunk, index: number, size = Math.floor(chunk.bytes / chunk.left)): void {
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
