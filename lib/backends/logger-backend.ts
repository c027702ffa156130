import type { Backend } from '../core/backend.js';
import { TrackingError } from '../core/errors.js';
import type { TrackingEvent } from '../core/event.js';
import { eventBytes, eventJson } from '../core/event.js';
import type { OptionReader } from '../core/options.js';
import { aFunction, object, optional, positiveInteger, readOptions, value } from '../core/options.js';
import type { MaybePromise } from '../core/processor.js';

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
 * Writes one line of JSON per event. One above `maxBytes` is refused as `too_large`.
 *
 * @throws TrackingError `invalid_options`, also when the logger has no such level
 */
export function loggerBackend(options: LoggerBackendOptions = {}): Backend {
  const { write, maxBytes } = readOptions('the options of loggerBackend() are wrong', options, loggerOptions);
  return {
    send: (event) => {
      const bytes = eventBytes(event);
      if (bytes > maxBytes) {
        throw new TrackingError('too_large', `its ${bytes} bytes are more than maxBytes (${maxBytes})`);
      }
      // A logger that returns a promise has written, or failed, when it settles.
      return write(lineOf(event)) as MaybePromise<void>;
    },
  };
}

function lineOf(event: TrackingEvent): string {
  return eventJson(event).replace(
    LINE_BREAKS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const table = object({
  logger: optional(value<object>('a logger', isLogger), console),
  level: optional(value<string>('the name of a method of the logger', isString), 'info'),
  maxBytes: optional(positiveInteger, Infinity),
});

const loggerOptions: OptionReader<{ readonly write: WriteLine; readonly maxBytes: number }> = (
  given,
  path,
  problems,
) => {
  const { logger, level, maxBytes } = table(given, path, problems);
  const methods = (isLogger(logger) ? logger : {}) as Readonly<Record<string, WriteLine>>;
  const method = level === 'info' && typeof methods['info'] !== 'function' ? 'log' : level;
  if (isLogger(logger) && isString(level)) {
    aFunction()(methods[method], `logger.${level}`, problems);
  }
  // Looked up each time: a logger may be given another level, or be replaced by a double, later.
  return { write: (line) => (methods[method] as WriteLine)(line), maxBytes };
};

/** Some are functions with methods. */
function isLogger(given: unknown): boolean {
  return (typeof given === 'object' && given !== null) || typeof given === 'function';
}

function isString(given: unknown): boolean {
  return typeof given === 'string';
}
