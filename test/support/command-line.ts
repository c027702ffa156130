import { runCommandLine } from '../../lib/cli/command-line.js';
import { systemClock } from '../../lib/core/system-clock.js';
import type { Clock } from '../../lib/core/clock.js';

/** What a command answered. */
export interface Answer {
  readonly code: number;
  readonly out: readonly string[];
  readonly said: readonly string[];
}

/** The command line in this process, in a folder. */
export class CommandLine {
  clock: Clock = systemClock();
  /** So many lines are read, then nobody reads any more. */
  reads = Infinity;
  readonly stop = new AbortController();

  constructor(private readonly folder: string) {}

  async run(...args: string[]): Promise<Answer> {
    const out: string[] = [];
    const said: string[] = [];
    const code = await runCommandLine(args, {
      ...{ clock: this.clock, folder: this.folder, stop: this.stop.signal },
      out: (line) => {
        out.push(line);
        return Promise.resolve(out.length < this.reads);
      },
      say: (line) => {
        said.push(line);
      },
    });
    return { code, out, said };
  }
}
