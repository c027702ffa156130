/*
 * Where accepted events wait for their delivery.
 *
 * Invariants, held by `backlogContract` of nestjs-tracking/testing for every implementation
 * 1. accepted = delivered + dead + depth, at every moment. What is leased counts in `depth` and against the bounds.
 * 2. Accepted means stored. What `append` does not count as accepted is not kept.
 * 3. Reading never removes: an event leaves by `settle` alone, or as the victim of a full backlog ('overflow').
 * 4. An event is in at most one lease at a time, and what is leased is never evicted.
 * 5. Events are leased in the order in which they were accepted, those given back in their old place. With partitions,
 *    a partition of which a lease is out answers no other, so that order holds in it.
 * 6. Of each event of a lease the first settlement counts. A lease that was lost (its token is stale) may only record
 *    'delivered': everything else about its events is somebody else's to say.
 * 7. Dead letters are kept up to a bound, the oldest go first. A replayed one is accepted anew: no attempts, a new age.
 * 8. Nothing throws or rejects but for a storage that fails; that is reported too, and loses nothing.
 */
import type { Clock } from '../core/clock.js';
import type { TrackingEvent } from '../core/event.js';
import type { MaybePromise } from '../core/processor.js';
import type { TrackingReport } from '../core/report.js';
import type { DeadLetter, DeadLetterFilter, DeathCause } from './dead-letter.js';
import type { EventStamp } from './event-stamp.js';

/** What one batch may hold. */
export interface BatchLimits {
  readonly maxEvents: number;
  readonly maxBytes: number;
}

/** What a backlog is told about its place, once, before the first event. */
export interface BacklogHost {
  readonly tracker: string;
  readonly path: string;
  readonly clock: Clock;
  report(report: TrackingReport): void;
  /** Epoch milliseconds that never jump while the process runs; acceptance is stamped with it. */
  time(): number;
  /** The stream of an event. Absent: there are no partitions, and any number of leases may be out. */
  readonly partitionOf?: (event: TrackingEvent) => string;
  /** Puts something into each event in the moment in which it is stored. Absent: nothing. */
  readonly stamp?: EventStamp;
  /** What makes a full batch, so that `onAvailable` can be told. May change at any time. */
  readonly batch: BatchLimits;
  /** Tells which accepted events the backlog gave up by itself (`dropOldest`); they count as dead. */
  lost(events: readonly TrackingEvent[], cause: DeathCause): void;
  /** Longest wait of `append` for room. */
  readonly blockTimeoutMs: number;
}

export interface LeaseRequest extends BatchLimits {
  /** A batch that is not full is given only when its oldest event has waited for so long; 0: at once. */
  readonly maxDelayMs: number;
  /** From this partition alone. */
  readonly partition?: string;
}

/** One event of a lease. The object itself stands for it in `settle`. */
export interface LeasedEvent {
  /** As it was accepted; may be made only when it is asked for. */
  readonly event: TrackingEvent;
  readonly id: string;
  /**
   * Whether its id comes after that of the other, in one order for all; where that can be said for less than the ids
   * cost. False says nothing.
   */
  follows?(other: LeasedEvent): boolean;
  /** The size of its JSON. */
  readonly bytes: number;
  /** Epoch milliseconds, on the host's time. */
  readonly acceptedAt: number;
  /** How often it was tried. Whoever tries counts here; a backlog that gets it back keeps the number. */
  attempts: number;
  /** Writes the event's JSON in UTF-8, which is `bytes` long: formats that send it as it is need no event. */
  writeJson(target: Buffer, at: number): void;
}

/** What became of some events of a lease. */
export interface Settlement {
  readonly events: readonly LeasedEvent[];
  readonly outcome: 'delivered' | DeathCause;
}

/** Some events in the care of one who delivers. */
export interface Lease {
  readonly token: string;
  /** Empty where there are no partitions. */
  readonly partition: string;
  /** At least one, whatever its size; never more than was asked for. */
  readonly events: readonly LeasedEvent[];
  /** Records what became of events, in one step; those not named stay leased. */
  settle(settlements: readonly Settlement[]): MaybePromise<void>;
  /** Keeps the lease for so long from now; false when it was lost. */
  renew(ms: number): MaybePromise<boolean>;
  /** Gives back what is not settled, in its old place. Its partition answers no lease for `afterMs`. Default: 0. */
  release(afterMs?: number): MaybePromise<void>;
}

export interface BacklogStats {
  /** Accepted here, or found here when it was opened. */
  readonly accepted: number;
  readonly delivered: number;
  /** Replayed ones no longer count. */
  readonly dead: number;
  /** Neither delivered nor dead, leased ones included. */
  readonly depth: number;
  /** Of what `depth` counts. */
  readonly bytes: number;
  /** Since the oldest of them was accepted. */
  readonly oldestMs?: number;
}

/** A place in the sequence of accepted events. */
export type BacklogMark = number;

export interface Backlog {
  /** Whether what it holds outlives the process. What does not is given up as 'shutdown' at the end. */
  readonly lasting: boolean;
  /**
   * Prepares it; called once, by the backend that it is given to. May go on in the background.
   *
   * @throws whatever makes it unusable: the boot fails with it
   */
  open(host: BacklogHost): void;
  /**
   * Stores events. Answers, at once where the storage is memory, how many of them, counted from the first, are
   * accepted; the rest is refused, because the backlog is full or closed.
   *
   * @param wait whether to wait for room, where the backlog is one that blocks
   * @param unheard nobody hears the answer, which may then come at once: the backlog has to store the events by itself,
   * as soon as it can, or give them up as lost
   */
  append(events: readonly TrackingEvent[], wait?: boolean, unheard?: boolean): MaybePromise<number>;
  /** Leases the next events that make a batch. */
  lease(request: LeaseRequest): Promise<Lease | undefined>;
  /** In how many milliseconds `lease` would answer something if nothing else comes: 0 is now, undefined never. */
  availableIn(request: LeaseRequest): number | undefined;
  /**
   * Sets the one who is called when there is something new to lease: events came where none waited, made a full batch,
   * or were given back. May be called in anybody's async context, and more often than needed.
   */
  onAvailable(listener: () => void): void;
  /** Behind everything accepted so far. */
  mark(): BacklogMark;
  /** Whether everything that this process accepted before the mark is delivered or dead. */
  isSettled(mark: BacklogMark): boolean;
  stats(): BacklogStats;
  /** From the oldest death on. */
  deadLetters(filter?: DeadLetterFilter): AsyncIterable<DeadLetter>;
  /** Makes dead letters wait for delivery again; answers how many. */
  replay(filter?: DeadLetterFilter): Promise<number>;
  /** Takes nothing more and lets go of what it opened. What is not settled stays where it lasts. Idempotent. */
  close(): Promise<void>;
}
