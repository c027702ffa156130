import { isRecord, Problems } from '../core/options.js';
import type { DeadLetterBounds } from '../delivery/memory-dead-letters.js';
import type { Overflow } from '../delivery/memory-backlog-options.js';

export interface LmdbBacklogOptions {
  /** A folder, made when it is missing; events are in its file `backlog.mdb`. Backends and processes may share it. */
  readonly path: string;
  /**
   * What accepted events outlive: the end of the process, `kill -9` included (they are flushed to the disk soon after),
   * or a power cut as well (`emitAsync` waits for the flush). Default: `process`.
   */
  readonly durability?: 'process' | 'power';
  /** Most events that wait or are under way, for this backend in this process. Default: 2,000,000. */
  readonly maxEvents?: number;
  /** Most bytes of their JSON. Default: 1 GiB. */
  readonly maxBytes?: number;
  /** Default: `dropOldest`. */
  readonly overflow?: Overflow;
  /**
   * Whether the disk outlives the process. On a pod's own disk it does not: what is left at `close` then goes to
   * `onDeadLetter` as 'shutdown'. Default: true.
   */
  readonly lasting?: boolean;
  /** How many dead letters of this backend are kept, the latest ones. Default: 10,000 of at most 64 MiB. */
  readonly deadLetters?: Partial<DeadLetterBounds>;
}

export interface LmdbBacklogSettings {
  readonly path: string;
  readonly durability: 'process' | 'power';
  readonly maxEvents: number;
  readonly maxBytes: number;
  readonly overflow: Overflow;
  readonly lasting: boolean;
  readonly deadLetters: DeadLetterBounds;
}

const MIB = 1024 * 1024;
const CHOICES = {
  durability: ['process', 'power'],
  overflow: ['dropOldest', 'dropNewest', 'block'],
} as const;

/** @throws TrackingError `invalid_options` with every problem */
export function lmdbBacklogSettings(options: LmdbBacklogOptions): LmdbBacklogSettings {
  const problems = new Problems();
  if (!isRecord(options)) {
    problems.add('options', 'an object', options);
    problems.throwIfAny('the options of lmdbBacklog() are wrong');
  }
  problems.onlyKeys('', options, [
    ...['path', 'durability', 'maxEvents', 'maxBytes', 'overflow', 'lasting'],
    'deadLetters',
  ]);
  const settings: LmdbBacklogSettings = {
    path: options.path,
    durability: options.durability ?? 'process',
    maxEvents: options.maxEvents ?? 2_000_000,
    maxBytes: options.maxBytes ?? 1024 * MIB,
    overflow: options.overflow ?? 'dropOldest',
    lasting: options.lasting ?? true,
    deadLetters: readBounds(problems, options.deadLetters),
  };
  if (typeof settings.path !== 'string' || settings.path === '') {
    problems.add('path', 'the path of a folder', options.path);
  }
  problems.positiveInteger('maxEvents', settings.maxEvents);
  problems.positiveInteger('maxBytes', settings.maxBytes);
  problems.boolean('lasting', settings.lasting);
  for (const key of ['durability', 'overflow'] as const) {
    const choices: readonly unknown[] = CHOICES[key];
    if (!choices.includes(settings[key])) {
      problems.add(key, `one of ${choices.join(', ')}`, options[key]);
    }
  }
  problems.throwIfAny('the options of lmdbBacklog() are wrong');
  return settings;
}

function readBounds(problems: Problems, bounds: unknown): DeadLetterBounds {
  const settings = { maxEvents: 10_000, maxBytes: 64 * MIB };
  if (isRecord(bounds)) {
    problems.onlyKeys('deadLetters', bounds, ['maxEvents', 'maxBytes']);
    for (const key of ['maxEvents', 'maxBytes'] as const) {
      problems.optional(bounds[key], (value) => {
        problems.positiveInteger(`deadLetters.${key}`, value);
        settings[key] = value as number;
      });
    }
  } else if (bounds !== undefined) {
    problems.add('deadLetters', 'an object', bounds);
  }
  return settings;
}
