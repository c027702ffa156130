import type { Clock } from '../core/clock.js';
import type { TrackingEvent } from '../core/event.js';
import type { Lease, Settlement } from './backlog.js';
import type { DeathCause } from './dead-letter.js';
import type { DeliveryReporter } from './delivery-reporter.js';
import type { LostEvents } from './lost-events.js';

const RETRY_MS = 1_000;
/** A storage that fails for so long has the events again after the next start. */
const MAX_TRIES = 60;

/** Records in the backlog what became of events, and tells everybody who wants to know. Never rejects. */
export class Recorder {
  constructor(
    private readonly clock: Clock,
    private readonly reporter: DeliveryReporter,
    private readonly lostEvents: LostEvents,
    private readonly settled: () => void,
  ) {}

  async record(lease: Lease, settlements: readonly Settlement[]): Promise<void> {
    if (settlements.length === 0) {
      return;
    }
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      try {
        await lease.settle(settlements);
        this.reporter.storageWorks();
        break;
      } catch (error) {
        this.reporter.storage(error);
        await this.sleep();
      }
    }
    for (const { events, outcome } of settlements) {
      if (outcome !== 'delivered') {
        this.lostEvents.add(
          events.map(({ event }) => event),
          outcome,
        );
      }
    }
    this.reporter.settled(settlements);
    this.settled();
  }

  /** The backlog gave events up by itself. */
  lost(events: readonly TrackingEvent[], cause: DeathCause): void {
    if (events.length > 0) {
      this.lostEvents.add(events, cause);
      this.reporter.died(events.length, cause);
    }
    this.settled();
  }

  private sleep(): Promise<void> {
    return new Promise((resolve) => {
      this.clock.setTimeout(resolve, RETRY_MS);
    });
  }
}
