import type { Clock } from './clock.js';
import type { EventFactory } from './event-factory.js';
import type { Limits } from './limits.js';
import type { Reporter } from './report.js';
import type { ReasonCounter } from './stats.js';

/** What all parts of a tracker share. */
export interface TrackerServices {
  /** The tracker's name. */
  readonly tracker: string;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly reporter: Reporter;
  readonly factory: EventFactory;
  readonly counts: TrackerCounts;
}

export interface TrackerCounts {
  readonly dropped: ReasonCounter;
  accepted: number;
  processorErrors: number;
}
