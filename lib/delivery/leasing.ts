import type { Clock } from '../core/clock.js';
import type { Lease } from './backlog.js';
import type { DeliveryReporter } from './delivery-reporter.js';
import type { DeliverySettings } from './delivery-settings.js';
import type { Destination } from './destination.js';
import type { HeldLines } from './held-lines.js';
import type { Intake } from './intake.js';
import type { LeasePlan } from './lease-plan.js';
import { REST_MS } from './lease-plan.js';
import type { Recorder } from './recorder.js';

/** Takes out of the backlog what is to be held, within bounds. */
export class Leasing<Payload> {
  /** Leases that were asked for and have not come. */
  asked = 0;
  private takingIn = 0;

  constructor(
    private readonly clock: Clock,
    private readonly settings: () => DeliverySettings,
    private readonly plan: LeasePlan,
    private readonly destination: Destination,
    private readonly reporter: DeliveryReporter,
    private readonly recorder: Recorder,
    private readonly intake: Intake<Payload>,
    private readonly held: HeldLines<Payload>,
  ) {}

  /** Whether anything is on its way from the backlog to what is held. */
  get isUnderWay(): boolean {
    return this.asked + this.takingIn > 0;
  }

  /** Whether a lease may be taken now. */
  isDue(now: number): boolean {
    return this.nextAt(now) <= now;
  }

  /** The monotonic time from which a lease may be taken. */
  nextAt(now: number): number {
    return !this.intake.ordered && this.isFull ? Infinity : this.plan.nextAt(now);
  }

  /** Takes a lease and holds its batches; never rejects. */
  async take(done: () => void): Promise<void> {
    this.makeRoom();
    this.asked++;
    const lease = await this.plan.lease();
    this.asked--;
    if (lease !== undefined) {
      this.takingIn++;
      await this.takeIn(lease).catch((error: unknown) => {
        this.reporter.storage(error);
        return lease.release(REST_MS);
      });
      this.takingIn--;
    }
    done();
  }

  /** While the destination is away, what is held would otherwise grow old unseen. */
  giveUpOld(): void {
    if (this.destination.circuit.state === 'retrying') {
      const { ageOf, maxAgeMs } = this.destination.givingUp();
      for (const { lease, events } of this.held.takeOlder(ageOf, maxAgeMs)) {
        const outcome = { reason: 'expired' } as const;
        void this.recorder.record(lease, [{ events, outcome }]);
      }
    }
  }

  /** While the destination is away, only what could probe counts: something small must come in. */
  private get isFull(): boolean {
    const { circuit, isOk } = this.destination;
    const held = isOk ? this.held.size : this.held.small(circuit.probeEvents);
    return held >= this.settings().concurrency.max;
  }

  /** Bounds what is held: beyond it, streams give their events back and wait in the backlog. */
  private makeRoom(): void {
    if (this.isFull) {
      const line = this.held.takeLatest();
      const waitMs = (line?.dueAt ?? 0) - this.clock.monotonicMs();
      void line?.head?.lease.release(Math.max(REST_MS, waitMs));
    }
  }

  /** Holds what was leased. What is too old while the destination is away is not tried any more. */
  private async takeIn(lease: Lease): Promise<void> {
    const { destination } = this;
    const isAway = destination.circuit.state === 'retrying';
    const { lines, late } = this.intake.take(lease, isAway ? destination.givingUp() : undefined);
    await this.recorder.record(lease, late);
    for (const line of lines) {
      this.held.add(line);
    }
  }
}
