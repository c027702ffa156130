import type { TrackingEvent } from '../core/event.js';

/**
 * What a format adds to each event that is accepted, such as its place in a sequence.
 *
 * Invariants, which every backlog holds
 * - Each accepted event is stamped once, in the moment in which it is stored. One that is replayed is not stamped again.
 * - What was stamped and is not stored after all is taken back before anything else is stamped, so that a sequence has
 *   no gaps.
 */
export interface EventStamp {
  /** What it answers is stored. Never throws. */
  put(event: TrackingEvent): TrackingEvent;
  /** Events that `put` answered were not stored, nor was anything stamped since. Never throws. */
  takeBack(stamped: readonly TrackingEvent[]): void;
}
