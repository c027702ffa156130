import { resolve } from 'node:path';
import { errorMessage } from '../core/describe.js';
import { readArguments } from './arguments.js';
import type * as Commands from './backlog-commands.js';
import { EXIT, UsageError } from './command-errors.js';
import type { Terminal } from './terminal.js';
import { USAGE } from './usage.js';

/** Runs what was typed; answers the exit code, and never rejects. */
export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const read = readArguments(args);
    if (read === undefined) {
      await terminal.out(USAGE);
      return EXIT.fine;
    }
    const { BACKLOG_COMMANDS } = await loadCommands();
    const folder = resolve(terminal.folder, read.path);
    return await BACKLOG_COMMANDS[read.command](read, terminal, folder);
  } catch (error) {
    const isUsage = error instanceof UsageError;
    terminal.say(
      `nestjs-tracking: ${errorMessage(error).replaceAll(/\s*\n\s*/g, ' ')}${
        isUsage ? ' (nestjs-tracking --help shows the usage)' : ''
      }`,
    );
    return isUsage ? EXIT.usage : EXIT.failed;
  }
}

/** What is typed wrong is told also where lmdb is not installed. */
async function loadCommands(): Promise<typeof Commands> {
  try {
    return await import('./backlog-commands.js');
  } catch (error) {
    throw new Error(`the package lmdb is needed: npm install lmdb (${errorMessage(error)})`, {
      cause: error,
    });
  }
}
