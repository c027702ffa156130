import { once } from 'node:events';
import process from 'node:process';
import { systemClock } from '../core/system-clock.js';
import { runCommandLine } from './command-line.js';
import type { Terminal } from './terminal.js';

/** The program `nestjs-tracking`. */
export function main(): void {
  const { argv, stdout } = process;
  void runCommandLine(argv.slice(2), terminalOf(process)).then((code) => {
    // What a topology opened may keep the process alive; what is written has to arrive.
    stdout.write('', () => {
      process.exit(code);
    });
  });
}

function terminalOf({ stdout, stderr }: NodeJS.Process): Terminal {
  let closed = false;
  // Whoever reads may have enough: `| head`.
  stdout.on('error', () => {
    closed = true;
  });
  stderr.on('error', () => undefined);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // The second one ends the process at once.
    process.once(signal, () => {
      stop.abort();
    });
  }
  return {
    ...{ clock: systemClock(), folder: process.cwd(), stop: stop.signal },
    out: async (line) => {
      if (!closed && !stdout.write(`${line}\n`)) {
        await once(stdout, 'drain').catch(() => undefined);
      }
      return !closed && !stop.signal.aborted;
    },
    say: (line) => {
      stderr.write(`${line}\n`);
    },
  };
}
