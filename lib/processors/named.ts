import type { Processor } from '../core/processor.js';
import { Problems } from '../core/options.js';

/** Gives a processor the name under which reports speak of it. */
export function named(name: string, process: Processor): Processor {
  return Object.defineProperty(process, 'name', { value: name });
}

/**
 * Reads the arguments of a factory.
 *
 * @throws TrackingError `invalid_options` with everything that `read` found wrong
 */
export function readArguments<T>(factory: string, read: (problems: Problems) => T): T {
  const problems = new Problems();
  const result = read(problems);
  problems.throwIfAny(`the arguments of ${factory}() are wrong`);
  return result;
}
