import type { BacklogInspection, Place } from '../lmdb/backlog-inspection.js';
import { nameOf } from '../lmdb/backlog-inspection.js';
import type { Arguments } from './arguments.js';
import { placesFor } from './places.js';
import { Progress } from './progress.js';
import { bytes, count, duration, events } from './readable.js';
import type { Terminal } from './terminal.js';

/** What is kept of one backend. */
interface PlaceStats {
  readonly tracker: string;
  readonly path: string;
  readonly waiting: number;
  readonly bytes: number;
  readonly oldestMs?: number;
  /** By reason. */
  readonly dead: Readonly<Record<string, number>>;
  /** Backlogs of processes that run, and of those that ended and left something. */
  readonly owners: { readonly alive: number; readonly dead: number };
}

export async function showStats(
  inspection: BacklogInspection,
  args: Arguments,
  terminal: Terminal,
): Promise<void> {
  const places: PlaceStats[] = [];
  const progress = new Progress(terminal);
  for (const place of placesFor(inspection, args)) {
    places.push(await statsOf(inspection, place, terminal, progress));
  }
  if (args.json) {
    await terminal.out(JSON.stringify({ path: args.path, places }));
  } else if (places.length === 0) {
    await terminal.out('nothing waits, and nothing is dead');
  }
  for (const place of args.json ? [] : places) {
    for (const line of linesOf(place)) {
      await terminal.out(line);
    }
  }
}

async function statsOf(
  inspection: BacklogInspection,
  place: Place,
  { clock }: Terminal,
  progress: Progress,
): Promise<PlaceStats> {
  const { tracker, path } = place;
  let waiting = 0;
  let size = 0;
  let oldestAt = Infinity;
  const tell = (): string => `${nameOf(place)}: ${events(waiting)} counted`;
  for await (const part of inspection.waitingParts(place)) {
    waiting += part.events;
    size += part.bytes;
    oldestAt = Math.min(oldestAt, part.oldestAt);
    progress.at(tell);
  }
  const dead: Record<string, number> = {};
  for await (const { reason } of inspection.deadLetters(place)) {
    dead[reason] = (dead[reason] ?? 0) + 1;
    progress.at(tell);
  }
  const owners = inspection.owners(place);
  const gone = owners.filter((owner) => owner === 'gone').length;
  return {
    ...{ tracker, path, waiting, bytes: size },
    ...(waiting === 0 ? {} : { oldestMs: Math.max(0, clock.now() - oldestAt) }),
    ...{ dead, owners: { alive: owners.length - gone, dead: gone } },
  };
}

function linesOf(place: PlaceStats): string[] {
  const { tracker, path, waiting, oldestMs, dead, owners } = place;
  const reasons = Object.entries(dead).map(([reason, number]) => `${reason} ${count(number)}`);
  const sum = Object.values(dead).reduce((total, number) => total + number, 0);
  return [
    `${path} (tracker ${tracker})`,
    `  waiting  ${events(waiting)}${
      oldestMs === undefined ? '' : `, ${bytes(place.bytes)}, the oldest for ${duration(oldestMs)}`
    }`,
    `  dead     ${count(sum)}${reasons.length === 0 ? '' : ` (${reasons.join(', ')})`}`,
    `  owners   ${count(owners.alive)} alive, ${count(owners.dead)} dead`,
  ];
}
