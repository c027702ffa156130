import type { Clock } from '../core/clock.js';

/** What the command line knows of the outside world. */
export interface Terminal {
  readonly clock: Clock;
  /** The folder that paths are relative to. */
  readonly folder: string;
  /** Aborted when the user wants the command to end. */
  readonly stop: AbortSignal;
  /** Writes a line of the result; resolves when there is room for the next one. False: nobody reads any more. */
  readonly out: (line: string) => Promise<boolean>;
  /** Writes a line about what goes on. */
  readonly say: (line: string) => void;
}
