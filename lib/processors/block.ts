import type { Processor } from '../core/processor.js';
import { drop, filter } from '../core/processor.js';
import type { NamePattern } from '../core/name-patterns.js';
import { nameMatcher } from '../core/name-patterns.js';
import { named, readArguments } from './named.js';

/**
 * A filter that drops these names as `filtered`; an empty list lets everything through.
 *
 * @param names exact names, globs (`debug.*`) and RegExps, which need not match from the start
 * @throws TrackingError `invalid_options`
 */
export function block(names: readonly NamePattern[]): Processor {
  const matches = readArguments('block', (problems) => nameMatcher(names, 'names', problems));
  return named(
    'block',
    filter(({ name }) => (matches(name) ? drop('filtered') : undefined)),
  );
}
