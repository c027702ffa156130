import type { BatchLimits, LeaseRequest } from '../delivery/backlog.js';

/** So many taken numbers may stand before the first one that waits. */
const MAX_TAKEN = 1_024;

/** The waiting events of one partition, by their numbers, in the order of their acceptance. */
export class WaitingQueue {
  /** Only estimated for events that were found. */
  bytes = 0;
  /** A lease of it is out, and there may be no other. */
  locked = false;
  /** No lease before this time. */
  blockedUntil = -Infinity;
  private seqs: number[] = [];
  private start = 0;

  constructor(readonly partition: string) {}

  get length(): number {
    return this.seqs.length - this.start;
  }

  get first(): number | undefined {
    return this.seqs[this.start];
  }

  at(index: number): number | undefined {
    return this.seqs[this.start + index];
  }

  push(seq: number, bytes: number): void {
    const { length } = this.seqs;
    // What could be stored only later may have been overtaken.
    if (length > 0 && (this.seqs[length - 1] as number) > seq) {
      this.putBack([seq], bytes);
      return;
    }
    this.seqs.push(seq);
    this.bytes += bytes;
  }

  isFull(limits: BatchLimits): boolean {
    return this.length >= limits.maxEvents || this.bytes >= limits.maxBytes;
  }

  /** In how many milliseconds it has a batch; undefined when it is empty, or out. */
  availableIn(request: LeaseRequest, now: number, acceptedAt: (seq: number) => number): number | undefined {
    const { first } = this;
    if (first === undefined || this.locked) {
      return undefined;
    }
    const dueAt = this.isFull(request) ? now : acceptedAt(first) + request.maxDelayMs;
    return Math.max(0, Math.max(dueAt, this.blockedUntil) - now);
  }

  /** Takes the first ones away. */
  drop(count: number, bytes: number): void {
    this.bytes -= bytes;
    this.start += count;
    if (this.start === this.seqs.length) {
      this.seqs = [];
      this.start = 0;
      // What was loaded by its average size leaves no rest.
      this.bytes = 0;
    } else if (this.start > MAX_TAKEN && this.start > this.seqs.length >> 1) {
      this.seqs = this.seqs.slice(this.start);
      this.start = 0;
    }
  }

  /** Puts numbers, which ascend, where they belong. */
  putBack(returned: readonly number[], bytes: number): void {
    this.bytes += bytes;
    if ((returned[0] ?? Infinity) > (this.seqs.at(-1) ?? -Infinity)) {
      for (const seq of returned) {
        this.seqs.push(seq);
      }
      return;
    }
    const merged: number[] = [];
    let at = this.start;
    for (const seq of returned) {
      while (at < this.seqs.length && (this.seqs[at] as number) < seq) {
        merged.push(this.seqs[at++] as number);
      }
      merged.push(seq);
    }
    this.seqs = merged.concat(this.seqs.slice(at));
    this.start = 0;
  }

  /** Whether it was there. */
  remove(seq: number, bytes: number): boolean {
    const at = this.seqs.indexOf(seq, this.start);
    if (at >= 0) {
      this.seqs.splice(at, 1);
      this.bytes -= bytes;
    }
    return at >= 0;
  }

  /** Lets go of what is in a span of numbers. */
  forget(from: number, to: number): void {
    const before = this.length;
    this.seqs = this.seqs.slice(this.start).filter((seq) => seq < from || seq >= to);
    this.start = 0;
    this.bytes = Math.round((this.bytes * this.seqs.length) / (before || 1));
  }
}
