import type { Backend } from '../core/backend.js';
import type { TrackingEvent } from '../core/event.js';
import { eventBytes, eventJson } from '../core/event.js';
import type { DropReason, MaybePromise } from '../core/processor.js';
import { errorMessage, describeValue } from '../core/describe.js';
import type { BackendStats } from '../core/stats.js';
import { ReasonCounter } from '../core/stats.js';
import { isThenable } from '../core/thenable.js';
import { isRecord, Problems } from '../core/options.js';

type WriteLine = (line: string) => unknown;

/** The usual names; a logger may have others. */
export type LogLevel = 'trace' | 'debug' | 'verbose' | 'info' | 'log' | 'notice' | 'warn' | 'error' | 'fatal';

/** pino, winston, Nest's `Logger`, `console`, or anything else with a method per level. */
export type LineLogger =
  { [Level in LogLevel]: Readonly<Record<Level, WriteLine>> }[LogLevel] | Readonly<Record<string, WriteLine>>;

export interface LoggerBackendOptions {
  /** Default: `console`. */
  readonly logger?: LineLogger;
  /** The method to call. Default: `info`; a logger without `info`, such as Nest's, gets it at `log`. */
  readonly level?: string;
  /** Largest event to write, as JSON in UTF-8. Default: whatever `limits.maxBytes` of the tracker lets through. */
  readonly maxBytes?: number;
}

/** Some readers take these for the end of a line; JSON lets them stand as they are. */
const LINE_BREAKS = /[\u0085\u2028\u2029]/g;

/**
 * Writes one line of JSON per event. One above `maxBytes` is refused: reported, and counted as `dropped.too_large`.
 *
 * @throws TrackingError `invalid_options`, also when the logger has no such level
 */
export function loggerBackend(options: LoggerBackendOptions = {}): Backend {
  const { write, maxBytes } = readOptions(options);
  const dropped = new ReasonCounter();
  let written = 0;
  let lastError: string | undefined;
  const count = (): void => {
    written++;
  };
  const countFailure = (reason: DropReason, error: unknown): void => {
    dropped.add(reason);
    lastError = errorMessage(error);
  };
  return {
    send: (event) => {
      const bytes = eventBytes(event);
      if (bytes > maxBytes) {
        const error = new RangeError(
          `${describeValue(event.name)} has ${bytes} bytes, more than maxBytes (${maxBytes})`,
        );
        countFailure('too_large', error);
        throw error;
      }
      return settle(
        () => write(lineOf(event)),
        count,
        (error) => {
          countFailure('failed', error);
        },
      );
    },
    stats: (): BackendStats => ({
      accepted: written,
      delivered: written,
      retried: 0,
      dead: 0,
      dropped: dropped.snapshot(),
      depth: 0,
      ...(lastError === undefined ? {} : { lastError }),
      state: 'ok',
    }),
  };
}

/** Tells how the work ended, now or, for a logger that answers a promise, later; hands a failure on. */
function settle(work: () => unknown, done: () => void, failed: (error: unknown) => void): MaybePromise<void> {
  let answer: unknown;
  try {
    answer = work();
  } catch (error) {
    failed(error);
    throw error;
  }
  if (!isThenable(answer)) {
    done();
    return undefined;
  }
  const settled = Promise.resolve(answer);
  settled.then(done, failed);
  return settled.then(() => undefined);
}

function lineOf(event: TrackingEvent): string {
  return eventJson(event).replace(
    LINE_BREAKS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

interface Writing {
  readonly write: WriteLine;
  readonly maxBytes: number;
}

function readOptions(options: LoggerBackendOptions): Writing {
  const problems = new Problems();
  const writing = check(options, problems);
  problems.throwIfAny('the options of loggerBackend() are wrong');
  return writing;
}

function check(options: LoggerBackendOptions, problems: Problems): Writing {
  const nothing: Writing = { write: () => undefined, maxBytes: 0 };
  if (!isRecord(options)) {
    problems.add('options', 'an object', options);
    return nothing;
  }
  problems.onlyKeys('', options, ['logger', 'level', 'maxBytes']);
  const { logger = console, level = 'info', maxBytes = Infinity } = options as LoggerBackendOptions;
  if (maxBytes !== Infinity) {
    problems.positiveInteger('maxBytes', maxBytes);
  }
  if (typeof level !== 'string') {
    problems.add('level', 'the name of a method of the logger', level);
    return nothing;
  }
  return { write: writerOf(logger, level, problems), maxBytes };
}

function writerOf(logger: unknown, level: string, problems: Problems): WriteLine {
  const methods = (logger ?? {}) as Record<string, unknown>;
  const method = level === 'info' && typeof methods['info'] !== 'function' ? 'log' : level;
  problems.function(`logger.${level}`, methods[method]);
  // Looked up each time: a logger may be told another level, or be replaced by a double, later.
  return (line) => (methods[method] as WriteLine)(line);
}
