import type { TrackingEvent } from '../core/event.js';
import type { Lease, Settlement } from './backlog.js';
import { Batch, Line } from './batch.js';
import { batchesOf } from './batches.js';
import type { GivingUp } from './give-up.js';
import { tooLate } from './give-up.js';

/** Makes batches of what was leased, and lines of batches. */
export class Intake<Payload> {
  constructor(
    /** Whether the batches of a lease go one after the other. */
    readonly ordered: boolean,
    private readonly groupOf: ((event: TrackingEvent) => string) | undefined,
    readonly newId: () => string,
  ) {}

  /** Lines of what was leased; what it is too late for is to be settled instead. */
  take(lease: Lease, giveUp: GivingUp | undefined): { lines: Line<Payload>[]; late: Settlement[] } {
    const late: Settlement[] = [];
    let { events } = lease;
    if (giveUp !== undefined) {
      for (const [reason, some] of tooLate(events, giveUp)) {
        late.push({ events: some, outcome: { reason } });
      }
      const gone = new Set(late.flatMap((settlement) => settlement.events));
      events = events.filter((event) => !gone.has(event));
    }
    const batches =
      events.length === 0
        ? []
        : batchesOf(events, this.groupOf).map((some) => this.batch(lease, some, this.newId()));
    return { lines: this.lines(lease.partition, batches), late };
  }

  lines(partition: string, batches: readonly Batch<Payload>[]): Line<Payload>[] {
    const lines = this.ordered ? [batches] : batches.map((batch) => [batch]);
    return lines.filter((some) => some.length > 0).map((some) => new Line(partition, [...some]));
  }

  /** Makes the first batch of a line smaller. */
  cut(line: Line<Payload>, maxEvents: number): void {
    const { head } = line;
    if (head !== undefined && head.events.length > maxEvents) {
      const parts = [head.events.slice(0, maxEvents), head.events.slice(maxEvents)].map((events) =>
        this.batch(head.lease, events, head.requestId),
      );
      line.batches.splice(0, 1, ...parts);
    }
  }

  private batch(lease: Lease, events: Lease['events'], requestId: string): Batch<Payload> {
    return new Batch<Payload>(lease, events, this.newId(), requestId);
  }
}
