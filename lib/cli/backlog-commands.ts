import { BacklogInspection } from '../lmdb/backlog-inspection.js';
import type { Arguments, CommandName } from './arguments.js';
import { EXIT } from './command-errors.js';
import { drain, replay } from './delivery-commands.js';
import { listDead, listWaiting } from './list-commands.js';
import { showStats } from './stats-command.js';
import type { Terminal } from './terminal.js';

/** Answers the exit code. */
type Run = (args: Arguments, terminal: Terminal, folder: string) => Promise<number>;

/** By name, each given the folder of the backlog. */
export const BACKLOG_COMMANDS: Readonly<Record<CommandName, Run>> = {
  stats: reading(showStats),
  list: reading(listWaiting),
  dead: reading(listDead),
  replay,
  drain,
};

function reading(
  show: (inspection: BacklogInspection, args: Arguments, terminal: Terminal) => Promise<void>,
): Run {
  return async (args, terminal, folder) => {
    const inspection = BacklogInspection.open(folder, terminal.clock);
    try {
      await show(inspection, args, terminal);
      return EXIT.fine;
    } finally {
      await inspection.close();
    }
  };
}
