import type { Clock } from '../core/clock.js';
import { AdaptiveConcurrency } from './adaptive-concurrency.js';
import type { Tried } from './attempts.js';
import type { Random } from './backoff.js';
import { backoffMs, probeDelayMs } from './backoff.js';
import type { LeasedEvent } from './backlog.js';
import type { Batch } from './batch.js';
import { BodyLimit } from './body-limit.js';
import { Circuit } from './circuit.js';
import type { DeliveryReporter } from './delivery-reporter.js';
import type { DeliverySettings } from './delivery-settings.js';
import type { GivingUp } from './give-up.js';
import { Pauses } from './pauses.js';

/** What is known about a destination: whether it is there, how much it bears, when it wants to be asked again. */
export class Destination {
  readonly circuit: Circuit;
  lastDeliveredAt: number | undefined;
  private readonly bodies = new BodyLimit();
  private readonly pauses = new Pauses();
  private concurrency: AdaptiveConcurrency;
  private range: DeliverySettings['concurrency'];

  constructor(
    private readonly clock: Clock,
    private readonly time: () => number,
    private readonly settings: () => DeliverySettings,
    private readonly random: Random,
    private readonly reporter: DeliveryReporter,
    /** Whether events of one stream go in order. */
    private readonly ordered: boolean,
  ) {
    this.circuit = new Circuit(() => settings().retry.maxDelayMs, random, ordered);
    this.range = settings().concurrency;
    this.concurrency = new AdaptiveConcurrency(this.range);
  }

  /** Whether it can be used as if nothing had ever gone wrong. */
  get isOk(): boolean {
    return this.circuit.state === 'ok';
  }

  /** How many requests it bears at once. */
  get lanes(): number {
    const { concurrency } = this.settings();
    if (concurrency !== this.range) {
      this.range = concurrency;
      this.concurrency = new AdaptiveConcurrency(concurrency);
    }
    return this.concurrency.limit;
  }

  /** Most bytes of one batch, as far as the destination has let us know. */
  get maxBytes(): number {
    return this.bodies.maxBytes;
  }

  /** Learns from an attempt. Answers whether the destination has just come back. */
  learn<Payload>(
    partition: string,
    batch: Batch<Payload>,
    { judgement, latencyMs, tooLarge }: Tried,
    saturated: boolean,
  ): boolean {
    const { circuit } = this;
    const now = this.clock.monotonicMs();
    const before = circuit.state;
    if (tooLarge) {
      this.bodies.refused(batch.bytes);
    }
    switch (judgement.signal) {
      case 'delivered':
        this.lastDeliveredAt = this.clock.now();
        this.bodies.took();
        circuit.delivered(partition);
        break;
      case 'answered':
        circuit.answered(now);
        break;
      case 'failing': {
        const stream = this.ordered ? partition : `${batch.id} ${batch.sent}`;
        if (!this.ordered && judgement.retryAfterMs !== undefined) {
          circuit.asksForTime(now);
        }
        if (circuit.failed(stream, now, judgement.retryAfterMs)) {
          this.concurrency.failed();
        }
        break;
      }
      case 'blocked':
        circuit.blocked(now);
        break;
      case 'refused':
        circuit.refused(now);
        break;
      case 'rejected':
        circuit.rejected(judgement.settlements.flatMap(({ events }) => events).length, now);
        break;
      case 'none':
        return false;
    }
    if (judgement.signal !== 'failing') {
      this.concurrency.answered(latencyMs, saturated);
    }
    this.stateChanged(judgement.error);
    return before !== 'ok' && circuit.state === 'ok';
  }

  /** How long a batch waits after a failed attempt. */
  delayMs(attempt: number, retryAfterMs: number | undefined): number {
    const { retry } = this.settings();
    if (retryAfterMs !== undefined) {
      return Math.min(retryAfterMs, retry.maxDelayMs);
    }
    const delay = backoffMs(attempt, retry, this.random);
    // A stream that fails alone opens no circuit that would probe: its own batch has to notice the recovery.
    return this.ordered ? Math.min(delay, probeDelayMs(attempt, retry.maxDelayMs, this.random)) : delay;
  }

  /** For what it is too late. How long an event has waited does not count pauses. */
  givingUp(): GivingUp {
    return {
      ...this.settings().retry,
      ageOf: ({ acceptedAt }: LeasedEvent) => this.pauses.activeMs(acceptedAt, this.time()),
    };
  }

  credentialsChanged(): void {
    this.circuit.credentialsChanged(this.clock.monotonicMs());
  }

  private stateChanged(error: Tried['judgement']['error']): void {
    if (this.circuit.state === 'paused') {
      this.pauses.begin(this.time());
    } else {
      this.pauses.end(this.time());
    }
    this.reporter.circuit(this.circuit, error);
  }
}
