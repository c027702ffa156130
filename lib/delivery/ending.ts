import type { Line } from './batch.js';

/** How far the end of a delivery has come. */
export class Ending<Payload> {
  /** Everything gets one attempt more, at once. */
  begun = false;
  /** Nothing is started any more. */
  over = false;
  /** What had its last attempt, or gets none. */
  readonly leftOver: Line<Payload>[] = [];
  private tellDrained = (): void => undefined;

  /** Resolves when there is nothing left to try. */
  begin(): Promise<void> {
    this.begun = true;
    return new Promise((resolve) => {
      this.tellDrained = resolve;
    });
  }

  drained(): void {
    this.tellDrained();
  }
}
