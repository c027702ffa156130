import type { LeasedEvent } from './backlog.js';
import { JsonBytes } from './json-bytes.js';

/** Who has an event in care. */
export interface Holder {
  /** One of its events was settled, by itself or by another. */
  entryGone(): void;
}

/** One event that somebody has, or had, in care. */
export class MemoryEntry extends JsonBytes implements LeasedEvent {
  attempts = 0;
  /** The lease that it is in; none while it waits. */
  holder: Holder | undefined = undefined;
  /** Delivered or dead. */
  gone = false;

  constructor(
    json: Buffer,
    at: number,
    bytes: number,
    readonly acceptedAt: number,
    readonly seq: number,
  ) {
    super(json, at, bytes);
  }
}
