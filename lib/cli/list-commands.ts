import { globMatcher } from '../core/patterns.js';
import type { BacklogInspection } from '../lmdb/backlog-inspection.js';
import type { Arguments } from './arguments.js';
import { letterFilter } from './letter-filter.js';
import { placesFor } from './places.js';
import type { Terminal } from './terminal.js';

type Inspect = (inspection: BacklogInspection, args: Arguments, terminal: Terminal) => Promise<void>;

/** The events that wait, a line of JSON each. */
export const listWaiting: Inspect = async (inspection, args, terminal) => {
  const isNamed = globMatcher(args.name ?? '*');
  const print = printer(args, terminal);
  for (const place of placesFor(inspection, args)) {
    for await (const { event, acceptedAt } of inspection.waiting(place)) {
      if (
        isNamed(event.name) &&
        !(await print({
          ...{ tracker: place.tracker, path: place.path },
          ...{ acceptedAt: new Date(acceptedAt).toISOString(), event },
        }))
      ) {
        return;
      }
    }
  }
};

/** The dead letters, a line of JSON each. */
export const listDead: Inspect = async (inspection, args, terminal) => {
  const matches = letterFilter(args);
  const print = printer(args, terminal);
  for (const place of placesFor(inspection, args)) {
    for await (const letter of inspection.deadLetters(place)) {
      const { path, at, reason, status, body, event } = letter;
      if (
        matches(letter) &&
        !(await print({
          ...{ tracker: place.tracker, path, at: new Date(at).toISOString() },
          ...{ reason, status, body, event },
        }))
      ) {
        return;
      }
    }
  }
};

/** Answers false when the next line would be one too many, or nobody reads any more. */
function printer({ limit = Infinity }: Arguments, terminal: Terminal): (line: object) => Promise<boolean> {
  let printed = 0;
  return async (line) => (await terminal.out(JSON.stringify(line))) && ++printed < limit;
}
