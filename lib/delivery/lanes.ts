import type { Clock } from '../core/clock.js';
import { Alarm } from './alarm.js';
import type { Attempts } from './attempts.js';
import type { Line } from './batch.js';
import type { DeliveryParts } from './delivery-parts.js';
import type { DeliveryReporter } from './delivery-reporter.js';
import type { Destination } from './destination.js';
import { Ending } from './ending.js';
import { HeldLines } from './held-lines.js';
import { Intake } from './intake.js';
import type { LeasePlan } from './lease-plan.js';
import { REST_MS } from './lease-plan.js';
import { Leasing } from './leasing.js';
import { Probes } from './probes.js';
import type { Recorder } from './recorder.js';
import { Rounds } from './rounds.js';

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
  private readonly held = new HeldLines<Payload>();
  private readonly running = new Map<Line<Payload>, Promise<void>>();
  private readonly leases = new Set<Promise<void>>();
  private readonly ending = new Ending<Payload>();
  private readonly ordered: boolean;
  private readonly clock: Clock;
  private readonly leasing: Leasing<Payload>;
  private readonly probes: Probes<Payload>;
  private readonly rounds: Rounds<Payload>;
  private readonly alarm: Alarm;
  private probing = false;

  constructor(
    parts: DeliveryParts<Payload>,
    private readonly plan: LeasePlan,
    attempts: Attempts<Payload>,
    private readonly destination: Destination,
    private readonly reporter: DeliveryReporter,
    recorder: Recorder,
  ) {
    const { held, ending } = this;
    const { settings, partitionOf, groupOf, newId } = parts;
    const { clock } = parts.host;
    this.ordered = partitionOf !== undefined;
    this.clock = clock;
    const intake = new Intake<Payload>(this.ordered, groupOf, newId);
    this.leasing = new Leasing(clock, settings, plan, destination, reporter, recorder, intake, held);
    this.probes = new Probes(destination, this.leasing, intake, held);
    this.rounds = new Rounds(clock, attempts, destination, recorder, intake, held, ending);
    this.alarm = new Alarm(clock, () => {
      this.pump();
    });
  }

  get failing(): boolean {
    return this.held.failing || this.isFailing;
  }

  /** What had its last attempt. */
  get leftOver(): readonly Line<Payload>[] {
    return this.ending.leftOver;
  }

  /** Something may have to be done; called from anywhere, often. */
  wake(): void {
    const waits = this.alarm.isSet && !this.destination.isOk;
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
    const drained = this.ending.begin();
    this.plan.hurry++;
    this.held.recallAll();
    this.look();
    return drained;
  }

  /** Starts nothing more; resolves when nothing is under way, to or from the backlog. */
  async stop(): Promise<void> {
    this.ending.begun = true;
    this.ending.over = true;
    this.alarm.set(Infinity);
    await Promise.all([...this.running.values(), ...this.leases]);
    this.ending.leftOver.push(...this.held.takeAll());
  }

  private get underWay(): number {
    return this.running.size + this.leasing.asked;
  }

  private get isFull(): boolean {
    return this.underWay >= this.destination.lanes;
  }

  private get isFailing(): boolean {
    return [...this.running.keys()].some((line) => line.failing);
  }

  private pump(): void {
    const now = this.clock.monotonicMs();
    while (this.mayStart(now)) {
      const line = this.destination.isOk ? this.held.takeDue(now, this.mayGo) : this.probes.next(now);
      if (line !== undefined) {
        this.start(line);
      } else if (this.leasing.isDue(now)) {
        this.lease();
      } else {
        break;
      }
    }
    this.arm(now);
  }

  private mayStart(now: number): boolean {
    const { ending, destination } = this;
    if (ending.over || destination.isOk) {
      return !ending.over && !this.isFull;
    }
    return !this.probing && (ending.begun || now >= destination.circuit.probeAt);
  }

  /** Streams that fail share one lane. */
  private readonly mayGo = (line: Line<Payload>): boolean =>
    !this.ordered || !line.failing || !this.isFailing;

  private lease(): void {
    const probe = !this.destination.isOk;
    this.probing ||= probe;
    const taking = this.leasing.take(() => {
      this.leases.delete(taking);
      this.probing &&= !probe;
      this.pump();
    });
    this.leases.add(taking);
  }

  private start(line: Line<Payload>): void {
    const probe = !this.destination.isOk;
    const saturated = this.underWay + 1 >= this.destination.lanes;
    this.probing ||= probe;
    const done = (): void => {
      this.running.delete(line);
      this.probing &&= !probe;
      this.pump();
    };
    const running = this.rounds.run(line, saturated).then(done, (error: unknown) => {
      // A bug, ours or that of a backlog: what it was about is still in our care.
      this.reporter.storage(error);
      line.failed(this.clock.monotonicMs() + REST_MS, true);
      this.held.add(line);
      done();
    });
    this.running.set(line, running);
  }

  private arm(now: number): void {
    const { ending } = this;
    if (ending.begun && this.isIdle(now)) {
      ending.drained();
    }
    this.alarm.set(
      ending.over ? Infinity : this.destination.isOk ? this.nextStartAt(now) : this.nextProbeAt(now),
    );
  }

  private isIdle(now: number): boolean {
    return (
      this.running.size === 0 &&
      !this.leasing.isUnderWay &&
      (this.ending.over || (this.held.size === 0 && !this.leasing.isDue(now)))
    );
  }

  private nextStartAt(now: number): number {
    return this.isFull
      ? Infinity
      : Math.min(this.held.nextDueAt(this.mayGo) ?? Infinity, this.leasing.nextAt(now));
  }

  private nextProbeAt(now: number): number {
    return this.probing ? Infinity : this.probes.nextAt(now);
  }
}
