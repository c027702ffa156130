import type { BatchLimits, LeaseRequest } from './backlog.js';
import { EventChunks } from './event-chunks.js';
import type { MemoryEntry } from './memory-entry.js';

/** The waiting events of one partition, in the order of their acceptance. */
export class MemoryQueue {
  bytes = 0;
  /** A lease of it is out, and there may be no other. */
  locked = false;
  /** No lease before this time. */
  blockedUntil = -Infinity;
  /** Those that a lease gave back, which are older than the others. */
  private returned: MemoryEntry[] = [];
  private readonly fresh = new EventChunks();

  constructor(readonly partition: string) {}

  get length(): number {
    return this.returned.length + this.fresh.length;
  }

  /** The oldest one, as far as that says it: its number, and when it was accepted. */
  get first(): { readonly seq: number; readonly acceptedAt: number } | undefined {
    return this.returned[0] ?? this.fresh.first;
  }

  /** @param bytes the size of the JSON in UTF-8 */
  push(json: string, bytes: number, acceptedAt: number, seq: number): void {
    this.fresh.push(json, bytes, acceptedAt, seq, this.bytes);
    this.bytes += bytes;
  }

  isFull(limits: BatchLimits): boolean {
    return this.length >= limits.maxEvents || this.bytes >= limits.maxBytes;
  }

  /** In how many milliseconds it has a batch; undefined when it is empty, or out. */
  availableIn(request: LeaseRequest, now: number): number | undefined {
    const { first } = this;
    if (first === undefined || this.locked) {
      return undefined;
    }
    const dueAt = this.isFull(request) ? now : first.acceptedAt + request.maxDelayMs;
    return Math.max(0, Math.max(dueAt, this.blockedUntil) - now);
  }

  /** Takes the oldest one, to be given up. */
  evict(): MemoryEntry | undefined {
    const entry = this.returned.shift() ?? this.fresh.evict();
    this.bytes -= entry?.bytes ?? 0;
    return entry;
  }

  /** Takes what fits into one batch, at least one. */
  take({ maxEvents, maxBytes }: BatchLimits): MemoryEntry[] {
    const { returned, fresh } = this;
    const taken: MemoryEntry[] = [];
    let bytes = 0;
    const fits = (size: number): boolean =>
      taken.length < maxEvents && (taken.length === 0 || bytes + size <= maxBytes);
    const add = (entry: MemoryEntry): void => {
      taken.push(entry);
      bytes += entry.bytes;
    };
    for (const entry of returned) {
      if (!fits(entry.bytes)) {
        break;
      }
      add(entry);
    }
    returned.splice(0, taken.length);
    if (returned.length === 0) {
      while (fits(fresh.first?.bytes ?? Infinity)) {
        const entry = fresh.shift();
        if (entry === undefined) {
          break;
        }
        add(entry);
      }
    }
    this.bytes -= bytes;
    return taken;
  }

  /** Puts entries, which are in order among themselves, back where they were. */
  putBack(entries: readonly MemoryEntry[]): void {
    const merged: MemoryEntry[] = [];
    let at = 0;
    for (const entry of entries) {
      for (
        let waiting = this.returned[at];
        waiting !== undefined && waiting.seq < entry.seq;
        waiting = this.returned[at]
      ) {
        merged.push(waiting);
        at++;
      }
      merged.push(entry);
      this.bytes += entry.bytes;
    }
    this.returned = merged.concat(this.returned.slice(at));
  }

  /** Takes out one that a lease gave back. */
  remove(entry: MemoryEntry): void {
    const at = this.returned.indexOf(entry);
    if (at >= 0) {
      this.returned.splice(at, 1);
      this.bytes -= entry.bytes;
    }
  }
}
