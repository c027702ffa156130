import type { TrackerOptions } from '../core/create-tracker.js';
import { BacklogInspection } from '../lmdb/backlog-inspection.js';
import type { Arguments } from './arguments.js';
import { EXIT, UsageError } from './command-errors.js';
import { deliver } from './delivery-run.js';
import { letterFilter } from './letter-filter.js';
import { placesFor } from './places.js';
import { Progress } from './progress.js';
import { count } from './readable.js';
import type { Terminal } from './terminal.js';
import { loadTopology } from './topology-module.js';

/** Answers the exit code. */
export async function drain(args: Arguments, terminal: Terminal, folder: string): Promise<number> {
  if (args.topology === undefined) {
    throw new UsageError(
      'expected --topology to be a module that exports the options of the tracker, got none',
    );
  }
  // Before a topology makes what is missing.
  await BacklogInspection.open(folder, terminal.clock).close();
  const options = await loadTopology(terminal.folder, args.topology);
  return deliverNow(options, args, terminal, folder, {});
}

/** Answers the exit code. */
export async function replay(args: Arguments, terminal: Terminal, folder: string): Promise<number> {
  const options =
    args.topology === undefined ? undefined : await loadTopology(terminal.folder, args.topology);
  const replayed = await replayLetters(args, terminal, folder);
  if (options !== undefined) {
    return deliverNow(options, args, terminal, folder, { replayed });
  }
  await terminal.out(
    args.json
      ? JSON.stringify({ replayed })
      : `${count(replayed)} replayed: the running app, or the next one, delivers them`,
  );
  return EXIT.fine;
}

async function replayLetters(args: Arguments, terminal: Terminal, folder: string): Promise<number> {
  const inspection = BacklogInspection.open(folder, terminal.clock);
  const progress = new Progress(terminal);
  let replayed = 0;
  try {
    for (const place of placesFor(inspection, args)) {
      await inspection.replay(place, letterFilter(args), (more) => {
        replayed += more;
        progress.at(() => `${count(replayed)} replayed`);
      });
    }
    return replayed;
  } finally {
    await inspection.close();
  }
}

async function deliverNow(
  options: TrackerOptions,
  args: Arguments,
  terminal: Terminal,
  folder: string,
  more: { readonly replayed?: number },
): Promise<number> {
  const result = await deliver(options, args, terminal, folder);
  const { delivered, dead, left } = result;
  await terminal.out(
    args.json
      ? JSON.stringify({ ...more, ...result })
      : `${more.replayed === undefined ? '' : `${count(more.replayed)} replayed, `}${count(delivered)} delivered, ${count(dead)} dead, ${count(left)} left`,
  );
  return left > 0 ? EXIT.failed : EXIT.fine;
}
