import type { Problems } from './options.js';
import type { TextMatcher } from './glob.js';
import { globMatcher, isGlob, regExpMatcher } from './glob.js';

/** An exact name, a glob over the whole name (`*` any run of characters, `?` one), or a RegExp. */
export type NamePattern = string | RegExp;

/** Patterns as they are looked up: exact names cost one look-up, however many. */
export interface NamePatterns {
  readonly exact: ReadonlySet<string>;
  readonly others: readonly TextMatcher[];
}

/** @param option the option that holds them, for the problems */
export function readNamePatterns(patterns: unknown, option: string, problems: Problems): NamePatterns {
  const exact = new Set<string>();
  const others: TextMatcher[] = [];
  if (!Array.isArray(patterns)) {
    problems.add(option, 'an array of names, globs and RegExps', patterns);
    return { exact, others };
  }
  // `Array.from` shows the holes of a sparse array.
  Array.from(patterns as unknown[]).forEach((pattern, index) => {
    if (pattern instanceof RegExp) {
      others.push(regExpMatcher(pattern));
    } else if (typeof pattern !== 'string' || pattern === '') {
      problems.add(`${option}[${index}]`, 'a name, a glob or a RegExp', pattern);
    } else if (isGlob(pattern)) {
      others.push(globMatcher(pattern));
    } else {
      exact.add(pattern);
    }
  });
  return { exact, others };
}

/** Whether a name is like one of the patterns. */
export function nameMatcher(patterns: unknown, option: string, problems: Problems): TextMatcher {
  const { exact, others } = readNamePatterns(patterns, option, problems);
  return (name) => exact.has(name) || others.some((matches) => matches(name));
}
