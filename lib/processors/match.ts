import type { JsonValue } from '../core/json.js';
import type { Processor } from '../core/processor.js';
import { drop, filter } from '../core/processor.js';
import type { Problems } from '../core/options.js';
import { isRecord } from '../core/options.js';
import type { DottedPath } from './dotted-path.js';
import { parsePath, someAt } from './dotted-path.js';
import type { TextMatcher } from '../core/glob.js';
import { globMatcher, regExpMatcher } from '../core/glob.js';
import { named, readArguments } from './named.js';

/** A glob over the whole text, a RegExp, or the very number or boolean. */
export type ValuePattern = string | RegExp | number | boolean;

/** What the values at dotted paths must be like; of a list, one has to match. */
export type MatchPatterns = Readonly<Record<string, ValuePattern | readonly ValuePattern[]>>;

type ValueMatcher = (value: JsonValue) => boolean;

/**
 * A filter that lets an event through when every path leads to a value that matches; a path with `*` needs one such
 * value. A text pattern never matches what is no text, nothing matches what is missing, an empty list matches nothing.
 * The others are dropped as `filtered`.
 *
 * @example match({ name: ['order.*', 'donation.received'], 'data.org': /^eu-/, 'data.items.*.gift': true })
 * @throws TrackingError `invalid_options`
 */
export function match(patterns: MatchPatterns): Processor {
  const rules = readArguments('match', (problems) => readRules(patterns, problems));
  return named(
    'match',
    filter((event) =>
      rules.every(({ path, matches }) => someAt(event, path, matches)) ? undefined : drop('filtered'),
    ),
  );
}

interface Rule {
  readonly path: DottedPath;
  readonly matches: ValueMatcher;
}

function readRules(patterns: unknown, problems: Problems): readonly Rule[] {
  if (!isRecord(patterns)) {
    problems.add('patterns', 'an object of patterns by path', patterns);
    return [];
  }
  return Object.entries(patterns).flatMap(([text, given]) => {
    const path = parsePath(text, `the path ${JSON.stringify(text)}`, problems);
    const option = `patterns[${JSON.stringify(text)}]`;
    const matchers = Array.isArray(given)
      ? Array.from(given as unknown[]).map((pattern, index) =>
          valueMatcher(pattern, `${option}[${index}]`, problems),
        )
      : [valueMatcher(given, option, problems)];
    return path === undefined ? [] : { path, matches: (value) => matchers.some((is) => is(value)) };
  });
}

function valueMatcher(pattern: unknown, option: string, problems: Problems): ValueMatcher {
  if (typeof pattern === 'string') {
    return ofText(globMatcher(pattern));
  }
  if (pattern instanceof RegExp) {
    return ofText(regExpMatcher(pattern));
  }
  if (typeof pattern !== 'boolean' && !Number.isFinite(pattern)) {
    problems.add(option, 'a glob, a RegExp, a number, true, false or a list of them', pattern);
  }
  return (value) => value === pattern;
}

function ofText(matches: TextMatcher): ValueMatcher {
  return (value) => typeof value === 'string' && matches(value);
}
