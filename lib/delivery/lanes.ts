import type { Clock } from '../core/clock.js';
import { Alarm } from './alarm.js';
import type { Attempts } from './attempts.js';
import type { Lease } from './backlog.js';
import type { Batch } from './batch.js';
import { Line } from './batch.js';
import type { DeliveryParts } from './delivery-parts.js';
import type { DeliveryReporter } from './delivery-reporter.js';
import type { Destination } from './destination.js';
import { followUp } from './follow-up.js';
import type { GivingUp } from './give-up.js';
import { HeldLines } from './held-lines.js';
import { Intake } from './intake.js';
import type { Judgement } from './judgement.js';
import type { LeasePlan } from './lease-plan.js';
import { REST_MS } from './lease-plan.js';
import type { Recorder } from './recorder.js';

/**
 * Takes batches out of the backlog and through their attempts, several at a time.
 *
 * Invariants
 * - A batch that was leased is either running, held, or left over for the end; never forgotten.
 * - Batches of one lease go one after the other where order matters.
 * - While the destination is not `ok`, one lane probes and no other starts anything.
 * - `pump` runs outside of everybody's async context: from a timer, or after an attempt that began there.
 */
export class Lanes<Payload> {
  readonly held = new HeldLines<Payload>();
  /** What had its last attempt. */
  readonly leftOver: Line<Payload>[] = [];
  private readonly running = new Map<Line<Payload>, Promise<void>>();
  private readonly intake: Intake<Payload>;
  private readonly ordered: boolean;
  private readonly alarm: Alarm;
  private leasing = 0;
  private takingIn = 0;
  private probing = false;
  private ending: { drained: () => void; over: boolean } | undefined;

  constructor(
    private readonly parts: DeliveryParts<Payload>,
    private readonly plan: LeasePlan,
    private readonly attempts: Attempts<Payload>,
    private readonly destination: Destination,
    private readonly reporter: DeliveryReporter,
    private readonly recorder: Recorder,
  ) {
    const { host, partitionOf, groupOf, newId } = parts;
    this.ordered = partitionOf !== undefined;
    this.intake = new Intake(this.ordered, groupOf, newId);
    this.alarm = new Alarm(host.clock, () => {
      this.pump();
    });
  }

  get failing(): boolean {
    return (
      this.held.failing || [...this.running.keys()].some((line) => line.failing)
    );
  }

  /** Something may have to be done; called from anywhere, often. */
  wake(): void {
    const waits = this.alarm.isSet && this.destination.circuit.state !== 'ok';
    if (!waits && !this.isFull) {
      this.alarm.set(-Infinity);
    }
  }

  /** Batches that wait are encoded anew before they go again. */
  forgetPayloads(): void {
    for (const line of [...this.held.all, ...this.running.keys()]) {
      line.forgetPayloads();
    }
  }

  /** Looks again, whatever is under way. */
  look(): void {
    this.alarm.set(-Infinity);
  }

  /** Gives everything one more attempt, at once; resolves when there is nothing left to try. */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      this.ending = { drained: resolve, over: false };
      this.plan.hurry++;
      this.held.recallAll();
      this.look();
    });
  }

  /** Starts nothing more; resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.ending ??= { drained: () => undefined, over: false };
    this.ending.over = true;
    this.alarm.set(Infinity);
    await Promise.all(this.running.values());
    this.leftOver.push(...this.held.takeAll());
  }

  private get clock(): Clock {
    return this.parts.host.clock;
  }

  private get maxHeld(): number {
    return this.parts.settings().concurrency.max;
  }

  private get isOk(): boolean {
    return this.destination.circuit.state === 'ok';
  }

  private get underWay(): number {
    return this.running.size + this.leasing;
  }

  private get isFull(): boolean {
    return this.underWay >= this.destination.lanes;
  }

  private pump(): void {
    const now = this.clock.monotonicMs();
    while (this.mayStart(now)) {
      const line = this.isOk
        ? this.held.takeDue(now, this.mayGo)
        : this.nextProbe(now);
      if (line !== undefined) {
        this.start(line);
      } else if (!this.startLease(now)) {
        break;
      }
    }
    this.arm(now);
  }

  private mayStart(now: number): boolean {
    if (this.ending?.over === true || this.isOk) {
      return this.ending?.over !== true && !this.isFull;
    }
    const isTime = now >= this.destination.circuit.probeAt;
    return !this.probing && (this.ending !== undefined || isTime);
  }

  /** Streams that fail share one lane. */
  private readonly mayGo = (line: Line<Payload>): boolean =>
    !this.ordered ||
    !line.failing ||
    ![...this.running.keys()].some((other) => other.failing);

  private nextProbe(now: number): Line<Payload> | undefined {
    this.giveUpOld();
    const { probeEvents, pauseReason } = this.destination.circuit;
    // What was tried in vain must not stand for the destination: others have their turn as well.
    if (
      !this.held.hasUntried(probeEvents) &&
      this.plan.isDue(now) &&
      (this.ordered || this.held.small(probeEvents) < this.maxHeld)
    ) {
      return undefined;
    }
    const line = this.held.takeProbe(probeEvents);
    if (line !== undefined && pauseReason === 'refusing_everything') {
      // Each probe may cost what it sends.
      this.intake.cut(line, probeEvents);
    }
    return line;
  }

  /** While the destination is away, what is held would otherwise grow old unseen. */
  private giveUpOld(): void {
    if (this.destination.circuit.state === 'retrying') {
      const { ageOf, maxAgeMs } = this.giveUp();
      for (const { lease, events } of this.held.takeOlder(ageOf, maxAgeMs)) {
        const outcome = { reason: 'expired' } as const;
        void this.recorder.record(lease, [{ events, outcome }]);
      }
    }
  }

  private startLease(now: number): boolean {
    if (!this.plan.isDue(now) || !this.makeRoom(now)) {
      return false;
    }
    const probe = !this.isOk;
    this.leasing++;
    this.probing ||= probe;
    void this.lease(probe);
    return true;
  }

  /** Bounds what is held: beyond it, streams give their events back and wait in the backlog. */
  private makeRoom(now: number): boolean {
    const held = this.isOk
      ? this.held.size
      : this.held.small(this.destination.circuit.probeEvents);
    if (held < this.maxHeld) {
      return true;
    }
    const line = this.ordered ? this.held.takeLatest() : undefined;
    void line?.head?.lease.release(Math.max(REST_MS, line.dueAt - now));
    return line !== undefined;
  }

  private async lease(probe: boolean): Promise<void> {
    const lease = await this.plan.lease();
    this.leasing--;
    if (lease !== undefined) {
      this.takingIn++;
      await this.takeIn(lease).catch((error: unknown) => {
        this.reporter.storage(error);
        return lease.release(REST_MS);
      });
      this.takingIn--;
    }
    this.probing &&= !probe;
    this.pump();
  }

  /** Holds what was leased. What is too old while the destination is away is not tried any more. */
  private async takeIn(lease: Lease): Promise<void> {
    const isAway = this.destination.circuit.state === 'retrying';
    const { lines, late } = this.intake.take(
      lease,
      isAway ? this.giveUp() : undefined,
    );
    await this.recorder.record(lease, late);
    for (const line of lines) {
      this.held.add(line);
    }
  }

  private start(line: Line<Payload>): void {
    const probe = !this.isOk;
    this.probing ||= probe;
    const running = this.run(line).then(() => {
      this.running.delete(line);
      this.probing &&= !probe;
      this.pump();
    });
    this.running.set(line, running);
  }

  private async run(line: Line<Payload>): Promise<void> {
    const [batch] = line.batches;
    if (batch === undefined) {
      return;
    }
    const saturated = this.underWay + 1 >= this.destination.lanes;
    const isLast = this.ending !== undefined;
    const tried = await this.attempts.make(batch);
    const isBack = this.destination.learn(
      line.partition,
      batch,
      tried,
      saturated,
    );
    if (isBack) {
      this.held.recall(this.clock.monotonicMs());
    }
    const { settlements, batches } = followUp(
      batch,
      tried.judgement,
      this.giveUp(),
      this.parts.newId,
    );
    await this.recorder.record(batch.lease, settlements);
    this.goOn(line, batches, tried.judgement, isLast);
    if (isLast && !this.isOk && this.ending !== undefined) {
      this.ending.over = true;
    }
  }

  /** Holds what is left of a line until it is due; at the end, an attempt that failed was the last. */
  private goOn(
    line: Line<Payload>,
    batches: readonly Batch<Payload>[],
    { backoff, retryAfterMs, signal }: Judgement,
    isLast: boolean,
  ): void {
    const waits = backoff || signal === 'blocked';
    const all = [...batches, ...line.batches.slice(1)];
    const now = this.clock.monotonicMs();
    if (waits && (isLast || this.ending?.over === true)) {
      this.leftOver.push(new Line(line.partition, all));
      return;
    }
    const [first] = batches;
    for (const next of this.intake.lines(line.partition, all)) {
      if (backoff && first !== undefined && next.head === first) {
        const delay = this.destination.delayMs(first.attempts, retryAfterMs);
        next.failed(
          this.ending === undefined ? now + delay : -Infinity,
          retryAfterMs !== undefined,
        );
      }
      this.held.add(next);
    }
  }

  private giveUp(): GivingUp {
    return {
      ...this.parts.settings().retry,
      ageOf: (event) => this.destination.ageOf(event),
    };
  }

  private arm(now: number): void {
    if (this.ending !== undefined && this.isIdle(now, this.ending.over)) {
      this.ending.drained();
    }
    this.alarm.set(
      this.ending?.over === true
        ? Infinity
        : this.isOk
          ? this.nextStartAt(now)
          : this.nextProbeAt(now),
    );
  }

  private isIdle(now: number, isOver: boolean): boolean {
    return (
      this.underWay + this.takingIn === 0 &&
      (isOver || (this.held.size === 0 && !this.plan.isDue(now)))
    );
  }

  private nextStartAt(now: number): number {
    return this.isFull
      ? Infinity
      : Math.min(
          this.held.nextDueAt(this.mayGo) ?? Infinity,
          this.nextLeaseAt(now),
        );
  }

  private nextProbeAt(now: number): number {
    if (this.probing) {
      return Infinity;
    }
    const at = this.held.size > 0 ? now : this.nextLeaseAt(now);
    return Math.max(at, this.destination.circuit.probeAt);
  }

  private nextLeaseAt(now: number): number {
    return !this.ordered && this.held.size >= this.maxHeld
      ? Infinity
      : this.plan.nextAt(now);
  }
}
