import type { LeasedEvent, Settlement } from './backlog.js';
import { Batch } from './batch.js';
import { causeOf } from './judgement.js';
import type { Judgement } from './judgement.js';
import type { GivingUp } from './give-up.js';
import { tooLate } from './give-up.js';

/** What comes of a judged batch. */
export interface FollowUp<Payload> {
  readonly settlements: readonly Settlement[];
  /** What goes again, in order; the batch itself where its composition is the same. */
  readonly batches: readonly Batch<Payload>[];
}

/** Makes the batches that go again, without events for which it is too late; those die. */
export function followUp<Payload>(
  batch: Batch<Payload>,
  judgement: Judgement,
  giveUp: GivingUp,
  newId: () => string,
): FollowUp<Payload> {
  const { again, backoff, error } = judgement;
  const settlements = [...judgement.settlements];
  const parts = again === 'same' ? [batch.events] : again;
  const batches = parts.flatMap((part) => {
    const late = backoff ? tooLate(part, giveUp) : new Map<never, never>();
    for (const [reason, events] of late) {
      settlements.push({ events, outcome: causeOf(reason, error) });
    }
    const left = late.size === 0 ? part : without(part, [...late.values()]);
    if (left.length === 0) {
      return [];
    }
    return again === 'same' && late.size === 0
      ? [batch]
      : [new Batch<Payload>(batch.lease, left, newId(), batch.requestId)];
  });
  return { settlements, batches };
}

function without(events: readonly LeasedEvent[], gone: readonly (readonly LeasedEvent[])[]): LeasedEvent[] {
  const dead = new Set(gone.flat());
  return events.filter((event) => !dead.has(event));
}
