import type { Deadlines } from '../core/deadlines.js';
import type { HeldEvent } from '../core/scope-owner.js';

/** Events of one request that wait for its outcome, bounded: beyond the bounds the oldest leave without one. */
export class HeldEvents {
  private events: HeldEvent[] = [];
  private stopTimer: (() => void) | undefined;

  constructor(
    private readonly maxEvents: number,
    private readonly deadlines: Deadlines,
  ) {}

  add(held: HeldEvent): void {
    this.events.push(held);
    if (this.events.length > this.maxEvents) {
      this.events.shift()?.release();
    }
    this.stopTimer ??= this.deadlines.start(() => {
      this.letGo();
    });
  }

  /** Answers the events in the order of their emission, and forgets them. */
  take(): readonly HeldEvent[] {
    this.stopTimer?.();
    this.stopTimer = undefined;
    const { events } = this;
    this.events = [];
    return events;
  }

  /** The outcome comes too late, or never. */
  letGo(): void {
    for (const held of this.take()) {
      held.release();
    }
  }
}
