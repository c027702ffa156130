import { CommandFailure } from './command-errors.js';
import type { Terminal } from './terminal.js';

const EVERY_MS = 1_000;

/** Tells how far long work is: a line a second, none about what is quick. */
export class Progress {
  private saidAtMs: number;

  constructor(private readonly terminal: Terminal) {
    this.saidAtMs = terminal.clock.monotonicMs();
  }

  /** @throws CommandFailure when the user wants it to end */
  at(line: () => string): void {
    const { clock, say, stop } = this.terminal;
    if (stop.aborted) {
      throw new CommandFailure(`stopped: ${line()}`);
    }
    const now = clock.monotonicMs();
    if (now - this.saidAtMs >= EVERY_MS) {
      this.saidAtMs = now;
      say(line());
    }
  }
}
