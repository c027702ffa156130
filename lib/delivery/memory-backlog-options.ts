import { isRecord, Problems } from '../core/options.js';
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

export interface MemoryBacklogSettings {
  readonly maxEvents: number;
  readonly maxBytes: number;
  readonly overflow: Overflow;
  readonly deadLetters: DeadLetterBounds;
}

const OVERFLOWS: readonly unknown[] = ['dropOldest', 'dropNewest', 'block'] satisfies Overflow[];

const MIB = 1024 * 1024;

/** @throws TrackingError `invalid_options` with every problem */
export function memoryBacklogSettings(options: MemoryBacklogOptions): MemoryBacklogSettings {
  const problems = new Problems();
  if (!isRecord(options)) {
    problems.add('options', 'an object', options);
    problems.throwIfAny('the options of memoryBacklog() are wrong');
  }
  problems.onlyKeys('', options, [...['maxEvents', 'maxBytes', 'overflow', 'deadLetters']]);
  const settings = {
    maxEvents: options.maxEvents ?? 100_000,
    maxBytes: options.maxBytes ?? 64 * MIB,
    overflow: options.overflow ?? 'dropOldest',
    deadLetters: { maxEvents: 1_000, maxBytes: 8 * MIB },
  };
  problems.positiveInteger('maxEvents', settings.maxEvents);
  problems.positiveInteger('maxBytes', settings.maxBytes);
  if (!OVERFLOWS.includes(settings.overflow)) {
    problems.add('overflow', `one of ${OVERFLOWS.join(', ')}`, options.overflow);
  }
  const bounds: unknown = options.deadLetters;
  if (isRecord(bounds)) {
    problems.onlyKeys('deadLetters', bounds, ['maxEvents', 'maxBytes']);
    for (const key of ['maxEvents', 'maxBytes'] as const) {
      problems.optional(bounds[key], (value) => {
        problems.positiveInteger(`deadLetters.${key}`, value);
        settings.deadLetters[key] = value as number;
      });
    }
  } else if (bounds !== undefined) {
    problems.add('deadLetters', 'an object', bounds);
  }
  problems.throwIfAny('the options of memoryBacklog() are wrong');
  return settings;
}
