import type { TrackingEvent } from '../core/event.js';
import { readInteger, readName, wrongType } from './arguments.js';
import { factsJson } from './facts-json.js';
import { memberHash } from './member-hash.js';
import type { CheckedRule, RuleName } from './metrics-rule.js';
import type { Change, FactsRecord, UniqueKey } from './metrics-store.js';
import type { TimeZone } from './time-zone.js';

/** One thing that an event changes. */
export type Effect =
  | { readonly kind: 'count'; readonly change: Required<Change> }
  | {
      readonly kind: 'member';
      readonly unique: UniqueKey;
      readonly day: number;
      readonly hash: number;
    }
  | { readonly kind: 'facts'; readonly record: FactsRecord };

/**
 * What a rule makes of an event; nothing, where one of its functions says nothing.
 *
 * @throws whatever a function of the rule throws; TypeError or RangeError for what it should not have answered
 */
export function effectsOf(rule: CheckedRule, event: TrackingEvent, atMs: number, zone: TimeZone): Effect[] {
  const metric = valueOf(rule.metric, event);
  const subjects = namesOf('subject', valueOf(rule.subject, event));
  if (metric === undefined) {
    return [];
  }
  readName('metric', metric);
  if (rule.unique !== undefined) {
    const members = namesOf('unique', valueOf(rule.unique, event));
    const { day } = zone.hourAt(atMs);
    const uniques: readonly UniqueKey[] =
      rule.subject === undefined ? [{ metric }] : subjects.map((subject) => ({ metric, subject }));
    return uniques.flatMap((unique) =>
      members.map((member): Effect => ({
        ...{ kind: 'member', unique, day },
        hash: memberHash(member),
      })),
    );
  }
  if (rule.record !== undefined) {
    const facts = valueOf(rule.record, event);
    const json = facts === undefined ? undefined : factsJson(facts);
    return subjects.flatMap((subject): Effect[] =>
      json === undefined ? [] : [{ kind: 'facts', record: { subject, key: metric, atMs, json } }],
    );
  }
  const by = rule.by === undefined ? 1 : valueOf(rule.by, event);
  if (by === undefined) {
    return [];
  }
  readInteger('by', by);
  const { day, hour } = zone.hourAt(atMs);
  return subjects.map((subject) => ({
    kind: 'count',
    change: { subject, metric, by, day, hour },
  }));
}

function valueOf<T>(
  source: T | ((event: TrackingEvent) => T | null | undefined),
  event: TrackingEvent,
): T | undefined {
  return typeof source === 'function'
    ? ((source as (event: TrackingEvent) => T | null | undefined)(event) ?? undefined)
    : source;
}

function namesOf(option: string, value: RuleName | readonly RuleName[] | undefined): string[] {
  if (value === undefined) {
    return [];
  }
  const names: readonly unknown[] = Array.isArray(value) ? value : [value];
  return names.map((name) => {
    if (typeof name !== 'string' && !Number.isSafeInteger(name)) {
      throw wrongType(option, 'a name or a safe integer', name);
    }
    return readName(option, String(name));
  });
}
