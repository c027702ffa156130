import type { TrackingEvent } from '../core/event.js';
import type { JsonObject } from '../core/json.js';
import type { NamePattern, NamePatterns } from '../core/patterns.js';
import { readNamePatterns } from '../core/patterns.js';
import type { EventName } from '../core/tracked-events.js';
import type { OptionReader } from '../core/options.js';
import { aFunction, isRecord, object, optional, optionPath, value } from '../core/options.js';

/** A name; a number, such as an id, stands for its digits. */
export type RuleName = string | number;

/** A fixed value, or what an event says; for an event of which it says `undefined` or `null`, the rule does nothing. */
export type FromEvent<T, Event = TrackingEvent> = T | ((event: Event) => T | null | undefined);

/** @typeParam Names what the rule is for; `Event` what its functions are given */
interface RuleFor<Names, Event> {
  /** A name, a glob (`donation.*`), a RegExp, or several of them. */
  readonly event: Names;
  /** The metric, or the key of facts. */
  readonly metric: FromEvent<string, Event>;
  /** One or many. Only a rule with `unique` may leave it out: then members are those of the metric as a whole. */
  readonly subject?: FromEvent<RuleName | readonly RuleName[], Event>;
  /** A safe integer. Default: 1. */
  readonly by?: FromEvent<number, Event>;
  readonly unique?: (event: Event) => RuleName | readonly RuleName[] | null | undefined;
  readonly record?: (event: Event) => JsonObject | null | undefined;
}

/** What is no single declared name. */
type ManyNames = RegExp | `${string}*${string}` | `${string}?${string}` | readonly NamePattern[];

/**
 * What an event counts for. A rule does one thing: it counts, adds a member (`unique`), or records facts (`record`). The
 * event's own time decides over day and hour. Where an app declares its events, a rule for one of them knows its payload.
 */
export type MetricsRule =
  | { readonly [Name in EventName]: RuleFor<Name, TrackingEvent<Name>> }[EventName]
  | RuleFor<ManyNames, TrackingEvent>;

type AnyRule = RuleFor<NamePattern, TrackingEvent>;

/** A rule as it is applied. */
export interface CheckedRule {
  readonly names: NamePatterns;
  readonly metric: FromEvent<string>;
  readonly subject: FromEvent<RuleName | readonly RuleName[]> | undefined;
  readonly by: FromEvent<number> | undefined;
  readonly unique: Exclude<AnyRule['unique'], undefined> | undefined;
  readonly record: AnyRule['record'];
}

const ruleNames: OptionReader<NamePatterns> = (given, path, problems) =>
  readNamePatterns(Array.isArray(given) ? given : [given], path, problems);

const subject = value<CheckedRule['subject']>(
  'a name, names or a function',
  (given) => isFunction(given) || (Array.isArray(given) ? (given as unknown[]) : [given]).every(isRuleName),
);

const table = object({
  event: ruleNames,
  metric: value<FromEvent<string>>('a name or a function', (given) => isFunction(given) || isName(given)),
  subject: optional(subject),
  by: optional(
    value<FromEvent<number>>(
      'a safe integer or a function',
      (given) => isFunction(given) || Number.isSafeInteger(given),
    ),
  ),
  unique: optional(aFunction<Exclude<AnyRule['unique'], undefined>>()),
  record: optional(aFunction<Exclude<AnyRule['record'], undefined>>()),
});

/** Reads one rule of `metricsBackend`. */
export const metricsRule: OptionReader<CheckedRule> = (given, path, problems) => {
  const { event: names, ...rule } = table(given, path, problems);
  if (isRecord(given) && rule.subject === undefined && rule.unique === undefined) {
    subject(undefined, optionPath(path, 'subject'), problems);
  }
  const kinds = (['by', 'unique', 'record'] as const).filter((kind) => rule[kind] !== undefined);
  if (kinds.length > 1) {
    problems.addLine(path, `a rule does one thing, not ${kinds.join(' and ')}`);
  }
  return { names, ...rule };
};

function isFunction(given: unknown): boolean {
  return typeof given === 'function';
}

function isName(given: unknown): boolean {
  return typeof given === 'string' && given !== '';
}

function isRuleName(given: unknown): boolean {
  return isName(given) || Number.isSafeInteger(given);
}
