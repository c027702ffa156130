import type { Clock } from '../core/clock.js';
import type { Backlog, Lease, LeaseRequest } from './backlog.js';
import type { DeliveryReporter } from './delivery-reporter.js';
import type { DeliverySettings } from './delivery-settings.js';
import type { Destination } from './destination.js';

/** A backlog that could not be read is asked again after this time. */
export const REST_MS = 1_000;
/** As is one that answered less than it had promised. */
const SHORT_REST_MS = 10;

/** Says when the backlog is to be asked, and for how much. */
export class LeasePlan {
  /** No batch waits to fill up while this is above 0. */
  hurry = 0;
  private restUntil = -Infinity;

  constructor(
    private readonly clock: Clock,
    private readonly backlog: Backlog,
    private readonly settings: () => DeliverySettings,
    private readonly destination: Destination,
    private readonly reporter: DeliveryReporter,
  ) {}

  /** A batch as large as it may be; a small one at once where it is to probe. */
  request(): LeaseRequest {
    const { batch } = this.settings();
    const { circuit, maxBytes, isOk } = this.destination;
    return {
      maxEvents: isOk ? batch.maxEvents : Math.min(circuit.probeEvents, batch.maxEvents),
      maxBytes: Math.min(batch.maxBytes, maxBytes),
      maxDelayMs: this.hurry > 0 || !isOk ? 0 : batch.maxDelayMs,
    };
  }

  /** The monotonic time at which a batch can be taken. */
  nextAt(now: number): number {
    const inMs = this.backlog.availableIn(this.request());
    return inMs === undefined ? Infinity : Math.max(now + inMs, this.restUntil);
  }

  /** Takes a batch; never rejects. */
  async lease(): Promise<Lease | undefined> {
    let restMs = SHORT_REST_MS;
    try {
      const lease = await this.backlog.lease(this.request());
      if (lease !== undefined) {
        return lease;
      }
    } catch (error) {
      this.reporter.storage(error);
      restMs = REST_MS;
    }
    this.restUntil = this.clock.monotonicMs() + restMs;
    return undefined;
  }
}
