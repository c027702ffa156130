import type { TrackingEvent } from '../core/event.js';
import type { CheckedRule } from './metrics-rule.js';
import type { Effect } from './rule-effects.js';
import { effectsOf } from './rule-effects.js';
import type { TimeZone } from './time-zone.js';

const MAX_NAMES = 1_000;

/** Which rules an event falls under, and what they make of it. */
export class RuleBook {
  private readonly byName = new Map<string, readonly CheckedRule[]>();
  private timestamp = '';
  private atMs = 0;

  constructor(
    private readonly rules: readonly CheckedRule[],
    private readonly zone: TimeZone,
  ) {}

  /** @param failed hears of a rule that threw, or answered what cannot be counted; the others go on */
  effectsOf(event: TrackingEvent, failed: (rule: number, error: unknown) => void): Effect[] {
    const effects: Effect[] = [];
    const rules = this.rulesFor(event.name);
    const atMs = rules.length === 0 ? 0 : this.momentOf(event.timestamp);
    for (const rule of rules) {
      try {
        effects.push(...effectsOf(rule, event, atMs, this.zone));
      } catch (error) {
        failed(this.rules.indexOf(rule), error);
      }
    }
    return effects;
  }

  /** Events of one millisecond come together, and reading a date costs more than counting. */
  private momentOf(timestamp: string): number {
    if (timestamp !== this.timestamp) {
      this.timestamp = timestamp;
      this.atMs = Date.parse(timestamp);
    }
    return this.atMs;
  }

  private rulesFor(name: string): readonly CheckedRule[] {
    let rules = this.byName.get(name);
    if (rules === undefined) {
      rules = this.rules.filter(
        ({ names: { exact, others } }) => exact.has(name) || others.some((matches) => matches(name)),
      );
      if (this.byName.size >= MAX_NAMES) {
        this.byName.clear();
      }
      this.byName.set(name, rules);
    }
    return rules;
  }
}
