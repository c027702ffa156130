import type { OptionsOf } from '../core/options.js';
import { object, oneOf, optional, positiveInteger, readOptions } from '../core/options.js';
import type { DeadLetterBounds } from './memory-dead-letters.js';

/** What a full backlog does with a new event. */
export type Overflow =
  /** Takes it; the oldest that waits is given up in its place, as dead. */
  | 'dropOldest'
  /** Refuses it. */
  | 'dropNewest'
  /** Lets `emitAsync` wait for room, for at most `limits.blockTimeoutMs`; refuses what `emit` brings. */
  | 'block';

export interface MemoryBacklogOptions {
  /** Most events that wait or are under way. Default: 100,000. */
  readonly maxEvents?: number;
  /** Most bytes of their JSON. Default: 64 MiB. */
  readonly maxBytes?: number;
  /** Default: `dropOldest`. */
  readonly overflow?: Overflow;
  /** How many dead letters are kept, the latest ones. Default: 1,000 of at most 8 MiB. */
  readonly deadLetters?: Partial<DeadLetterBounds>;
}

const MIB = 1024 * 1024;

const table = object({
  maxEvents: optional(positiveInteger, 100_000),
  maxBytes: optional(positiveInteger, 64 * MIB),
  overflow: optional(oneOf('dropOldest', 'dropNewest', 'block'), 'dropOldest'),
  deadLetters: object({
    maxEvents: optional(positiveInteger, 1_000),
    maxBytes: optional(positiveInteger, 8 * MIB),
  }),
});

export type MemoryBacklogSettings = OptionsOf<typeof table>;

/** @throws TrackingError `invalid_options` with every problem */
export function memoryBacklogSettings(options: MemoryBacklogOptions): MemoryBacklogSettings {
  return readOptions('the options of memoryBacklog() are wrong', options, table);
}
