import type { TrackingEvent } from '../core/event.js';
import type { JsonObject } from '../core/json.js';
import type { NamePattern, NamePatterns } from '../core/name-patterns.js';
import { readNamePatterns } from '../core/name-patterns.js';
import { isRecord } from '../core/options.js';
import type { Problems } from '../core/options.js';

/** A name; a number, such as an id, stands for its digits. */
export type RuleName = string | number;

/** A fixed value, or what an event says; for an event of which it says `undefined` or `null`, the rule does nothing. */
export type FromEvent<T> = T | ((event: TrackingEvent) => T | null | undefined);

/**
 * What an event counts for. A rule does one thing: it counts, adds a member (`unique`), or records facts (`record`). The
 * event's own time decides over day and hour.
 */
export interface MetricsRule {
  /** A name, a glob (`donation.*`), a RegExp, or several of them. */
  readonly event: NamePattern | readonly NamePattern[];
  /** The metric, or the key of facts. */
  readonly metric: FromEvent<string>;
  /** One or many. Only a rule with `unique` may leave it out: then members are those of the metric as a whole. */
  readonly subject?: FromEvent<RuleName | readonly RuleName[]>;
  /** A safe integer. Default: 1. */
  readonly by?: FromEvent<number>;
  readonly unique?: (event: TrackingEvent) => RuleName | readonly RuleName[] | null | undefined;
  readonly record?: (event: TrackingEvent) => JsonObject | null | undefined;
}

export interface CheckedRule extends Omit<MetricsRule, 'event'> {
  readonly names: NamePatterns;
}

const KEYS: readonly string[] = ['event', 'metric', 'subject', 'by', 'unique', 'record'];
const KINDS = ['by', 'unique', 'record'] as const;

export function checkRules(rules: unknown, problems: Problems): readonly CheckedRule[] {
  if (!Array.isArray(rules)) {
    problems.add('rules', 'an array', rules);
    return [];
  }
  return (rules as unknown[]).map((rule, index) => checkRule(rule, `rules[${index}]`, problems));
}

function checkRule(rule: unknown, at: string, problems: Problems): CheckedRule {
  if (!isRecord(rule)) {
    problems.add(at, 'a rule', rule);
    return { names: readNamePatterns([], at, problems), metric: '' };
  }
  problems.onlyKeys(at, rule, KEYS);
  const { event, metric, subject } = rule;
  if (typeof metric !== 'function' && (typeof metric !== 'string' || !metric)) {
    problems.add(`${at}.metric`, 'a name or a function', metric);
  }
  const mayLackSubject = rule['unique'] !== undefined;
  if (subject === undefined ? !mayLackSubject : !isSubject(subject)) {
    problems.add(`${at}.subject`, 'a name, names or a function', subject);
  }
  checkKind(rule, at, problems);
  return {
    ...(rule as unknown as MetricsRule),
    names: readNamePatterns(Array.isArray(event) ? event : [event], `${at}.event`, problems),
  };
}

function checkKind(rule: Record<string, unknown>, at: string, problems: Problems): void {
  const kinds = KINDS.filter((kind) => rule[kind] !== undefined);
  if (kinds.length > 1) {
    problems.addLine(at, `a rule does one thing, not ${kinds.join(' and ')}`);
  }
  const { by, unique, record } = rule;
  if (by !== undefined && typeof by !== 'function' && !Number.isSafeInteger(by)) {
    problems.add(`${at}.by`, 'a safe integer or a function', by);
  }
  problems.optional(unique, (value) => {
    problems.function(`${at}.unique`, value);
  });
  problems.optional(record, (value) => {
    problems.function(`${at}.record`, value);
  });
}

function isSubject(subject: unknown): boolean {
  return (
    typeof subject === 'function' ||
    (Array.isArray(subject) ? (subject as unknown[]) : [subject]).every(
      (name) => (typeof name === 'string' && name !== '') || Number.isSafeInteger(name),
    )
  );
}
