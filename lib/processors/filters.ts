import type { TrackingEvent } from '../core/event.js';
import type { JsonValue } from '../core/json.js';
import type { NamePattern } from '../core/patterns.js';
import { globMatcher, nameMatcher, regExpMatcher } from '../core/patterns.js';
import type { OptionReader } from '../core/options.js';
import { aFunction, mapOf, oneOrMany, readArguments } from '../core/options.js';
import type { MaybePromise, Processor } from '../core/processor.js';
import { drop } from '../core/processor.js';
import { isThenable } from '../core/thenable.js';
import { eventPath, someAt } from './event-tree.js';
import { namedFilter } from './named-filter.js';

/**
 * A filter that lets only these names through; an empty list lets nothing through. The others are dropped as `filtered`.
 *
 * @param names exact names, globs (`donation.*`) and RegExps, which need not match from the start
 * @throws TrackingError `invalid_options`
 */
export function allow(names: readonly NamePattern[]): Processor {
  const { names: matches } = readArguments('allow', { names }, { names: nameMatcher });
  return namedFilter('allow', ({ name }) => (matches(name) ? undefined : drop('filtered')));
}

/**
 * A filter that drops these names as `filtered`; an empty list lets everything through.
 *
 * @param names exact names, globs (`debug.*`) and RegExps, which need not match from the start
 * @throws TrackingError `invalid_options`
 */
export function block(names: readonly NamePattern[]): Processor {
  const { names: matches } = readArguments('block', { names }, { names: nameMatcher });
  return namedFilter('block', ({ name }) => (matches(name) ? drop('filtered') : undefined));
}

/** A glob over the whole string, a RegExp, or the very number or boolean. */
export type ValuePattern = string | RegExp | number | boolean;

/** What the values at dotted paths must be like; of a list, one has to match. */
export type MatchPatterns = Readonly<Record<string, ValuePattern | readonly ValuePattern[]>>;

/**
 * A filter that lets an event through when every path leads to a value that matches; a path with `*` needs one such
 * value. A glob or RegExp matches strings only, nothing matches what is missing, an empty list matches nothing. The
 * others are dropped as `filtered`.
 *
 * @example match({ name: ['order.*', 'donation.received'], 'data.org': /^eu-/, 'data.items.*.gift': true })
 * @throws TrackingError `invalid_options`
 */
export function match(patterns: MatchPatterns): Processor {
  const read = readArguments('match', { patterns }, { patterns: matchPatterns });
  const rules = [...read.patterns].map(([path, matchers]) => ({
    path,
    matches: (value: JsonValue) => matchers.some((matches) => matches(value)),
  }));
  return namedFilter('match', (event) =>
    rules.every(({ path, matches }) => someAt(event, path, matches)) ? undefined : drop('filtered'),
  );
}

type ValueMatcher = (value: JsonValue) => boolean;

const valueMatcher: OptionReader<ValueMatcher> = (given, path, problems) => {
  if (typeof given === 'string' || given instanceof RegExp) {
    const matches = typeof given === 'string' ? globMatcher(given) : regExpMatcher(given);
    return (value) => typeof value === 'string' && matches(value);
  }
  if (typeof given !== 'boolean' && !Number.isFinite(given)) {
    problems.add(path, 'a glob, a RegExp, a number, true, false or a list of them', given);
  }
  return (value) => value === given;
};

const matchPatterns = mapOf('an object of patterns by path', oneOrMany(valueMatcher), eventPath);

/** Whether an event may be recorded: what the person it is about has agreed to. */
export type ConsentCheck = (event: TrackingEvent) => MaybePromise<boolean>;

/**
 * A filter that asks for each event whether it may be recorded. Only `true` lets it through; after any other result it is
 * dropped as `consent`, and when the check fails or takes too long it is dropped as well.
 *
 * @example consent(({ context }) => context.consent === 'all')
 * @throws TrackingError `invalid_options`
 */
export function consent(check: ConsentCheck): Processor {
  readArguments('consent', { check }, { check: aFunction() });
  const unlessGiven = (given: unknown) => (given === true ? undefined : drop('consent'));
  return namedFilter('consent', (event) => {
    const given: unknown = check(event);
    return isThenable(given) ? Promise.resolve(given).then(unlessGiven) : unlessGiven(given);
  });
}
