import type { LeaseRequest } from '../delivery/backlog.js';
import type { BacklogContents } from './backlog-contents.js';
import type { Chunk } from './chunk.js';
import type { ChunkReader } from './chunk-reader.js';
import { LmdbEntry } from './lmdb-lease.js';
import type { WaitingQueue } from './waiting-queue.js';

/** An event of which not enough is left to be one. */
export interface Unreadable {
  readonly chunk: Chunk;
  readonly index: number;
  readonly size: number;
}

/** The events that leases have in care: read from the file when they are taken, back in their queues when given back. */
export class EventsInCare {
  private readonly held = new Map<number, LmdbEntry>();
  /** Times that events were tried, of those that wait again. */
  private readonly attempts = new Map<number, number>();

  constructor(
    private readonly contents: BacklogContents,
    /** Called with events that cannot be read any more. */
    private readonly unreadable: (events: readonly Unreadable[]) => void,
  ) {}

  /** The entry of a lease that is out. */
  of(seq: number): LmdbEntry | undefined {
    return this.held.get(seq);
  }

  /** The next events of a queue that fit into one batch; at least one, unless others settled all of them. */
  take(queue: WaitingQueue, { maxEvents, maxBytes }: LeaseRequest): LmdbEntry[] {
    const { contents } = this;
    const entries: LmdbEntry[] = [];
    const vanished: Parameters<BacklogContents['settledElsewhere']>[] = [];
    const unreadable: Unreadable[] = [];
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
        chunk = contents.chunkOf(seq);
        reader = contents.readerOf(chunk);
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
      const entry = new LmdbEntry(reader.value, reader.offsetOf(index), size, seq, chunk);
      if (!reader.isSound(index, entry)) {
        unreadable.push({ chunk, index, size });
        continue;
      }
      entry.attempts = this.attempts.get(seq) ?? 0;
      entries.push(entry);
    }
    queue.drop(taken, bytes);
    for (const gone of vanished) {
      contents.settledElsewhere(...gone);
    }
    if (unreadable.length > 0) {
      this.unreadable(unreadable);
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
    this.contents.settled(entry.chunk, entry.index, entry.bytes, delivered);
  }

  /** Somebody else holds everything that is stored. */
  loseAll(): void {
    this.held.clear();
    this.attempts.clear();
  }
}
