import type { Line } from './batch.js';
import type { Destination } from './destination.js';
import type { HeldLines } from './held-lines.js';
import type { Intake } from './intake.js';
import type { Leasing } from './leasing.js';

/** Says what is to find out whether a destination is back, and when. */
export class Probes<Payload> {
  constructor(
    private readonly destination: Destination,
    private readonly leasing: Leasing<Payload>,
    private readonly intake: Intake<Payload>,
    private readonly held: HeldLines<Payload>,
  ) {}

  /** Takes the line to probe with; none where a lease has to bring one. */
  next(now: number): Line<Payload> | undefined {
    this.leasing.giveUpOld();
    const { probeEvents, pauseReason } = this.destination.circuit;
    // What was tried in vain must not stand for the destination: others have their turn as well.
    if (!this.held.hasUntried(probeEvents) && this.leasing.isDue(now)) {
      return undefined;
    }
    const line = this.held.takeProbe(probeEvents);
    if (line !== undefined && pauseReason === 'refusing_everything') {
      // Each probe may cost what it sends.
      this.intake.cut(line, probeEvents);
    }
    return line;
  }

  nextAt(now: number): number {
    const at = this.held.size > 0 ? now : this.leasing.nextAt(now);
    return Math.max(at, this.destination.circuit.probeAt);
  }
}
