import type { BatchLimits, LeaseRequest } from './backlog.js';
import { ByteChunks } from './byte-chunks.js';
import type { MemoryEntry } from './memory-entry.js';

/** So many taken entries may stand before the first one that waits. */
const MAX_TAKEN = 1_024;

/** The waiting events of one partition, in the order of their acceptance. */
export class MemoryQueue {
  bytes = 0;
  /** A lease of it is out, and there may be no other. */
  locked = false;
  /** No lease before this time. */
  blockedUntil = -Infinity;
  readonly chunks = new ByteChunks();
  private entries: MemoryEntry[] = [];
  private start = 0;

  constructor(readonly partition: string) {}

  get length(): number {
    return this.entries.length - this.start;
  }

  get first(): MemoryEntry | undefined {
    return this.entries[this.start];
  }

  push(entry: MemoryEntry): void {
    this.entries.push(entry);
    this.bytes += entry.bytes;
  }

  isFull(limits: BatchLimits): boolean {
    return (
      this.entries.length - this.start >= limits.maxEvents ||
      this.bytes >= limits.maxBytes
    );
  }

  /** In how many milliseconds it has a batch; undefined when it is empty, or out. */
  availableIn(request: LeaseRequest, now: number): number | undefined {
    const { first } = this;
    if (first === undefined || this.locked) {
      return undefined;
    }
    const dueAt = this.isFull(request)
      ? now
      : first.acceptedAt + request.maxDelayMs;
    return Math.max(0, Math.max(dueAt, this.blockedUntil) - now);
  }

  shift(): MemoryEntry | undefined {
    const entry = this.entries[this.start];
    if (entry !== undefined) {
      this.drop(1, entry.bytes);
    }
    return entry;
  }

  /** Takes what fits into one batch, at least one. */
  take({ maxEvents, maxBytes }: BatchLimits): MemoryEntry[] {
    const { entries, start } = this;
    let end = start;
    let bytes = 0;
    while (end < entries.length && end - start < maxEvents) {
      const size = (entries[end] as MemoryEntry).bytes;
      if (end > start && bytes + size > maxBytes) {
        break;
      }
      bytes += size;
      end++;
    }
    const taken = entries.slice(start, end);
    this.drop(taken.length, bytes);
    return taken;
  }

  /** Puts entries, which are in order among themselves, back where they were. */
  putBack(returned: readonly MemoryEntry[]): void {
    const merged: MemoryEntry[] = [];
    let at = this.start;
    for (const entry of returned) {
      for (
        let waiting = this.entries[at];
        waiting !== undefined && waiting.seq < entry.seq;
        waiting = this.entries[at]
      ) {
        merged.push(waiting);
        at++;
      }
      merged.push(entry);
      this.bytes += entry.bytes;
    }
    this.entries = merged.concat(this.entries.slice(at));
    this.start = 0;
  }

  remove(entry: MemoryEntry): void {
    const at = this.entries.indexOf(entry, this.start);
    if (at >= 0) {
      this.entries.splice(at, 1);
      this.bytes -= entry.bytes;
    }
  }

  private drop(count: number, bytes: number): void {
    this.bytes -= bytes;
    this.start += count;
    if (this.start === this.entries.length) {
      this.entries = [];
      this.start = 0;
    } else if (
      this.start > MAX_TAKEN &&
      this.start > this.entries.length >> 1
    ) {
      this.entries = this.entries.slice(this.start);
      this.start = 0;
    }
  }
}
