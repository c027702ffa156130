import type { Trace } from '../core/outcome.js';
import { isRefusal } from '../core/outcome.js';
import type { UnderWay } from '../core/under-way.js';
import type { ScopeAccounting } from '../core/scope-owner.js';

/** Counts the events of one request and follows them until they are accepted. */
export class RequestLedger implements ScopeAccounting {
  events = 0;
  droppedEvents = 0;
  /** Whether an event that should have been accepted was not. */
  refused = false;
  /** There once something took its time. */
  private underWay: Set<UnderWay> | undefined;

  /** @param waitsForRoom whether `emit` waits for room like `emitAsync` */
  constructor(readonly waitsForRoom: boolean) {}

  get isSettled(): boolean {
    return this.underWay === undefined || this.underWay.size === 0;
  }

  dispatched(trace: Trace, underWay: UnderWay | undefined): void {
    this.events++;
    if (underWay === undefined) {
      this.note(trace);
      return;
    }
    const all = (this.underWay ??= new Set());
    all.add(underWay);
    underWay.whenEnded(() => {
      all.delete(underWay);
      this.note(trace);
    });
  }

  dropped(reason: string): void {
    this.events++;
    this.droppedEvents++;
    this.refused ||= isRefusal(reason);
  }

  /** Resolves when everything dispatched so far is accepted, or is not. */
  async settled(): Promise<void> {
    if (this.underWay !== undefined) {
      await Promise.all([...this.underWay].map(({ promise }) => promise));
    }
  }

  private note(trace: Trace): void {
    if (trace.dropped !== undefined) {
      this.droppedEvents++;
    }
    this.refused ||= trace.refused;
  }
}
