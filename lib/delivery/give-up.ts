import type { LeasedEvent } from './backlog.js';
import type { DeadReason } from './dead-letter.js';

export interface GivingUp {
  readonly maxAttempts: number;
  readonly maxAgeMs: number;
  /** How long the event has waited, not counting the time in which the destination was paused. */
  readonly ageOf: (event: LeasedEvent) => number;
}

/** Of events that are to go again: those for which it is too late. */
export function tooLate(
  events: readonly LeasedEvent[],
  { maxAttempts, maxAgeMs, ageOf }: GivingUp,
): ReadonlyMap<Extract<DeadReason, 'attempts' | 'expired'>, LeasedEvent[]> {
  const attempts = events.filter((event) => event.attempts >= maxAttempts);
  const expired = events.filter((event) => event.attempts < maxAttempts && ageOf(event) >= maxAgeMs);
  return new Map(
    (
      [
        ['attempts', attempts],
        ['expired', expired],
      ] as const
    ).filter(([, some]) => some.length > 0),
  );
}
