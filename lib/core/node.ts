import type { TimeBudget } from './backend.js';
import type { Clock } from './clock.js';
import type { TrackedEvent } from './event.js';
import type { EventFactory } from './event-factory.js';
import type { Limits } from './limits.js';
import type { Trace } from './outcome.js';
import type { Reporter } from './report.js';
import type { ReasonCounter } from './stats.js';
import type { UnderWay } from './under-way.js';

/** A node of the topology: a router or a backend. */
export interface TopologyNode {
  readonly path: string;
  /**
   * Takes an event. Never throws; when something is under way, that is answered, and ends when all of it is settled.
   */
  dispatch(event: TrackedEvent, trace?: Trace): UnderWay | undefined;
}

/** What all nodes of a tracker share. */
export interface NodeServices {
  readonly tracker: string;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly reporter: Reporter;
  readonly factory: EventFactory;
  readonly counts: TrackerCounts;
  /** A new UUIDv7 of the present. */
  nextId(): string;
}

export interface TrackerCounts {
  readonly dropped: ReasonCounter;
  accepted: number;
  processorErrors: number;
}

/** What is left of a time budget, for several steps one after the other. */
export class Deadline {
  private readonly endMs: number;

  constructor(
    private readonly clock: Clock,
    timeoutMs: number,
  ) {
    this.endMs = clock.monotonicMs() + timeoutMs;
  }

  budget(): TimeBudget {
    return { timeoutMs: Math.max(0, this.endMs - this.clock.monotonicMs()) };
  }

  /** One that comes earlier, after a part of what is left. */
  part(divisor: number): Deadline {
    return new Deadline(this.clock, this.budget().timeoutMs / divisor);
  }

  /** Settles as the work does, or resolves to `late` when the time is up. Never rejects for being late. */
  race<T>(work: PromiseLike<T>, late: T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const timer = this.clock.setTimeout(() => {
        resolve(late);
      }, this.budget().timeoutMs);
      const done = (): void => {
        this.clock.clearTimeout(timer);
      };
      work.then(
        (value) => {
          done();
          resolve(value);
        },
        (error: unknown) => {
          done();
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever the work rejected with
          reject(error);
        },
      );
    });
  }
}
