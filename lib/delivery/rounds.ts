import type { Clock } from '../core/clock.js';
import type { Attempts } from './attempts.js';
import type { Batch } from './batch.js';
import { Line } from './batch.js';
import type { Destination } from './destination.js';
import type { Ending } from './ending.js';
import { followUp } from './follow-up.js';
import type { HeldLines } from './held-lines.js';
import type { Intake } from './intake.js';
import type { Judgement } from './judgement.js';
import type { Recorder } from './recorder.js';

/** Takes lines through one attempt: tries the first batch, learns from it, records it, holds what goes again. */
export class Rounds<Payload> {
  constructor(
    private readonly clock: Clock,
    private readonly attempts: Attempts<Payload>,
    private readonly destination: Destination,
    private readonly recorder: Recorder,
    private readonly intake: Intake<Payload>,
    private readonly held: HeldLines<Payload>,
    private readonly ending: Ending<Payload>,
  ) {}

  /** @param saturated whether as many are under way as the destination bears. Never rejects. */
  async run(line: Line<Payload>, saturated: boolean): Promise<void> {
    const { destination, ending, intake } = this;
    const [batch] = line.batches;
    if (batch === undefined) {
      return;
    }
    const isLast = ending.begun;
    const tried = await this.attempts.make(batch);
    if (destination.learn(line.partition, batch, tried, saturated)) {
      this.held.recall(this.clock.monotonicMs());
    }
    const { settlements, batches } = followUp(batch, tried.judgement, destination.givingUp(), intake.newId);
    await this.recorder.record(batch.lease, settlements);
    this.goOn(line, batches, tried.judgement, isLast);
    if (isLast && !destination.isOk) {
      ending.over = true;
    }
  }

  /** Holds what is left of a line until it is due; at the end, an attempt that failed was the last. */
  private goOn(
    line: Line<Payload>,
    batches: readonly Batch<Payload>[],
    { backoff, retryAfterMs, signal }: Judgement,
    isLast: boolean,
  ): void {
    const { ending } = this;
    const waits = backoff || signal === 'blocked';
    const all = [...batches, ...line.batches.slice(1)];
    const now = this.clock.monotonicMs();
    if (waits && (isLast || ending.over)) {
      ending.leftOver.push(new Line(line.partition, all));
      return;
    }
    const [first] = batches;
    for (const next of this.intake.lines(line.partition, all)) {
      if (backoff && first !== undefined && next.head === first) {
        const delay = this.destination.delayMs(first.attempts, retryAfterMs);
        next.failed(ending.begun ? -Infinity : now + delay, retryAfterMs !== undefined);
      }
      this.held.add(next);
    }
  }
}
