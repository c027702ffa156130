import type { Processor } from '../core/processor.js';
import { drop, filter } from '../core/processor.js';
import type { NamePattern } from '../core/name-patterns.js';
import { nameMatcher } from '../core/name-patterns.js';
import { named, readArguments } from './named.js';

/**
 * A filter that lets only these names through; an empty list lets nothing through. The others are dropped as `filtered`.
 *
 * @param names exact names, globs (`donation.*`) and RegExps, which need not match from the start
 * @throws TrackingError `invalid_options`
 */
export function allow(names: readonly NamePattern[]): Processor {
  const matches = readArguments('allow', (problems) => nameMatcher(names, 'names', problems));
  return named(
    'allow',
    filter(({ name }) => (matches(name) ? undefined : drop('filtered'))),
  );
}
