import type { Clock } from '../core/clock.js';
import type { Deadlines } from '../core/deadlines.js';
import type { JsonObject } from '../core/json.js';
import { isRecord } from '../core/options.js';
import type { HeldEvent, ScopeOwner } from '../core/scope-owner.js';
import { HeldEvents } from './held-events.js';
import type { IncomingRequest } from './incoming-request.js';
import type { FrameServices } from './request-frames.js';
import { RequestFrames } from './request-frames.js';
import { RequestLedger } from './request-ledger.js';
import type { RequestOutcome } from './request-options.js';

/** Who follows a request, and decides what its end means. */
export interface RequestHost extends FrameServices {
  readonly clock: Clock;
  /** Whether anything waits for the end of a request. */
  readonly followsRequests: boolean;
  /** When the events that a request holds leave at the latest. */
  readonly holdTimes: Deadlines;
  /** Requests that hold events now. */
  readonly holding: Set<RequestContext>;
  /** Asks the app whether the events of a request are kept. */
  keeps(outcome: RequestOutcome): boolean;
  /** Settles as the work does, or resolves to false when it takes too long. */
  withinAcceptTimeout(work: Promise<void>): Promise<boolean>;
  /** Tells that a response is about to leave without its events, and whether it may. */
  notAccepted(late: boolean, frames: JsonObject): boolean;
  /** What is done after a response, without anybody waiting. */
  ended(context: RequestContext, outcome: RequestOutcome, resolve: (() => void) | undefined): void;
}

/**
 * One HTTP request: its frames, its events, its end.
 *
 * Invariants
 * - The outcome is taken once for the events that were held: when the response is about to be written if that is waited
 *   for, else at the end. `keep` is asked then, once, and decides over later events too.
 * - What happens at the end never delays the response.
 */
export class RequestContext implements ScopeOwner {
  readonly bottom: RequestFrames;
  readonly hold: ((held: HeldEvent) => boolean) | undefined;
  readonly accounting: RequestLedger | undefined;
  /** What the handler threw, if the host saw it. */
  error: unknown;
  private readonly held: HeldEvents | undefined;
  private readonly startMs: number;
  private kept: boolean | undefined;
  private resolveEnd: (() => void) | undefined;

  constructor(
    private readonly tracking: RequestHost,
    readonly raw: IncomingRequest,
  ) {
    const { options } = tracking;
    this.bottom = new RequestFrames(tracking, raw, raw);
    this.startMs = tracking.followsRequests ? tracking.clock.monotonicMs() : 0;
    if (options.hold !== undefined) {
      this.held = new HeldEvents(options.hold.maxEvents, tracking.holdTimes);
      this.hold = (held) => this.keepBack(held);
    }
    if (tracking.followsRequests) {
      this.accounting = new RequestLedger(options.awaitAccepted !== false);
    }
  }

  frames(): JsonObject {
    return this.bottom.get();
  }

  /** Resolves after the end, when the events are where `flushAtEnd` wants them. */
  untilEnd(): Promise<void> {
    return new Promise((resolve) => {
      this.resolveEnd = resolve;
    });
  }

  /**
   * The response is about to be written.
   *
   * @returns whether it may leave as it is
   */
  beforeResponse(status: number): boolean | Promise<boolean> {
    const ledger = this.accounting as RequestLedger;
    this.conclude(this.outcome(status, false));
    if (ledger.isSettled) {
      return this.mayLeave(false);
    }
    return this.tracking.withinAcceptTimeout(ledger.settled()).then((inTime) => this.mayLeave(!inTime));
  }

  /**
   * The response was handed over, or its connection was lost.
   *
   * @param status absent when no head was sent
   */
  end(status: number | undefined, aborted: boolean): void {
    const outcome = this.outcome(status, aborted);
    this.conclude(outcome);
    this.tracking.ended(this, outcome, this.resolveEnd);
  }

  /** The tracker closes, or holding took too long: what is held leaves without an outcome. */
  letGo(): void {
    this.held?.letGo();
  }

  private keepBack(held: HeldEvent): boolean {
    if (this.kept === undefined) {
      this.tracking.holding.add(this);
      this.held?.add(held);
    } else if (this.kept) {
      held.release();
    } else {
      held.drop('outcome');
    }
    return true;
  }

  private conclude(outcome: RequestOutcome): void {
    if (this.held === undefined || this.kept !== undefined) {
      return;
    }
    this.tracking.holding.delete(this);
    this.kept = this.tracking.keeps(outcome);
    const facts = factsOf(outcome);
    this.bottom.ended(facts);
    for (const held of this.held.take()) {
      if (this.kept) {
        held.release(withOutcome(held.event.context, facts));
      } else {
        held.drop('outcome');
      }
    }
  }

  private mayLeave(late: boolean): boolean {
    if (!late && this.accounting?.refused === false) {
      return true;
    }
    return this.tracking.notAccepted(late, this.frames());
  }

  private outcome(status: number | undefined, aborted: boolean): RequestOutcome {
    const durationMs = Math.round((this.tracking.clock.monotonicMs() - this.startMs) * 10) / 10;
    // Spread into one literal, what may be absent would cost more than the rest of the end.
    const outcome: {
      -readonly [Key in keyof RequestOutcome]: RequestOutcome[Key];
    } = { aborted, durationMs };
    if (status !== undefined) {
      outcome.status = status;
    }
    if (this.error !== undefined) {
      outcome.error = this.error;
    }
    return outcome;
  }
}

function factsOf({ status, durationMs }: RequestOutcome): JsonObject {
  return status === undefined ? { durationMs } : { status, durationMs };
}

function withOutcome(context: JsonObject, outcome: JsonObject): JsonObject {
  const { request = {} } = context;
  // What the app put there itself stays, if it is no place for an outcome.
  return isRecord(request)
    ? Object.freeze({
        ...context,
        request: Object.freeze({ ...request, ...outcome }),
      })
    : context;
}
