import type { Clock } from '../core/clock.js';
import { draftTracker } from '../core/create-tracker.js';
import type { TrackerStats } from '../core/stats.js';
import type { TrackerOptions } from '../core/create-tracker.js';
import { BacklogInspection, nameOf } from '../lmdb/backlog-inspection.js';
import type { Arguments } from './arguments.js';
import { CommandFailure } from './command-errors.js';
import { Progress } from './progress.js';
import { count } from './readable.js';
import type { Terminal } from './terminal.js';

const TIMEOUT_MS = 60_000;
const LOOK_MS = 100;
/** A topology whose backlogs are elsewhere is told so after this time. */
const REGISTERED_MS = 5_000;

export interface Delivered {
  readonly delivered: number;
  readonly dead: number;
  /** Still waiting, and in nobody's care. */
  readonly left: number;
}

/** What waits in the file. */
interface Survey {
  readonly left: number;
  /** In the care of processes that run. */
  readonly held: number;
  /** Where something is left. */
  readonly at: readonly string[];
  /** Whether this process has a backlog there. */
  readonly registered: boolean;
}

/**
 * Makes a tracker, which adopts what nobody has in its care, and lets it deliver until nothing is left or
 * the time is over.
 *
 * @throws CommandFailure when that tracker has no backlog at the path
 */
export async function deliver(
  options: TrackerOptions,
  args: Arguments,
  terminal: Terminal,
  folder: string,
): Promise<Delivered> {
  const { clock } = terminal;
  const draft = draftTracker(options, { name: args.tracker ?? 'default', write: terminal.say });
  draft.reader.createClasses();
  const tracker = draft.finish();
  const letGo = clock.keepAlive?.();
  // In one process all openers need one durability: the topology has the first word.
  const inspection = BacklogInspection.open(folder, clock);
  try {
    await untilEmpty(args, terminal, inspection, () => tracker.stats());
    await tracker.close();
    const { left, held, at } = await survey(inspection);
    if (held > 0) {
      terminal.say(`${count(held)} more are in the care of processes that run, and are theirs to deliver`);
    }
    if (left > 0) {
      terminal.say(`${count(left)} are left at ${at.join(', ')}`);
    }
    const { delivered, dead } = sums(tracker.stats());
    return { delivered, dead, left };
  } finally {
    await tracker.close();
    await inspection.close();
    letGo?.();
  }
}

async function untilEmpty(
  args: Arguments,
  terminal: Terminal,
  inspection: BacklogInspection,
  stats: () => TrackerStats,
): Promise<void> {
  const { clock, stop } = terminal;
  const progress = new Progress(terminal);
  const startedAtMs = clock.monotonicMs();
  const { timeoutMs = TIMEOUT_MS } = args;
  let registered = false;
  for (;;) {
    const { delivered, depth } = sums(stats());
    // What is loaded already need not be looked for in the file.
    if (depth === 0 || !registered) {
      const found = await survey(inspection);
      registered ||= found.registered;
      if (found.left === 0 && registered) {
        return;
      }
    }
    const spentMs = clock.monotonicMs() - startedAtMs;
    if (!registered && spentMs > REGISTERED_MS) {
      throw new CommandFailure(`the tracker of ${args.topology ?? ''} has no lmdbBacklog() at ${args.path}`);
    }
    if (spentMs >= timeoutMs || stop.aborted) {
      return;
    }
    progress.at(() => `${count(delivered)} delivered, ${count(depth)} are waiting`);
    await pause(clock, Math.min(LOOK_MS, timeoutMs - spentMs));
  }
}

async function survey(inspection: BacklogInspection): Promise<Survey> {
  let left = 0;
  let held = 0;
  let registered = false;
  const at: string[] = [];
  for (const place of inspection.places()) {
    const before = left;
    registered ||= inspection.owners(place).includes('this process');
    for await (const { holder, events } of inspection.waitingParts(place)) {
      if (holder === 'alive') {
        held += events;
      } else {
        left += events;
      }
    }
    if (left > before) {
      at.push(nameOf(place));
    }
  }
  return { left, held, at, registered };
}

function sums({ backends }: TrackerStats): {
  delivered: number;
  dead: number;
  depth: number;
} {
  const sum = { delivered: 0, dead: 0, depth: 0 };
  for (const { delivered, dead, depth } of Object.values(backends)) {
    sum.delivered += delivered;
    sum.dead += dead;
    sum.depth += depth;
  }
  return sum;
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimeout(resolve, ms);
  });
}
