import type { BacklogInspection, Place } from '../lmdb/backlog-inspection.js';
import { nameOf } from '../lmdb/backlog-inspection.js';
import type { Arguments } from './arguments.js';
import { CommandFailure } from './command-errors.js';

/**
 * The places that are meant: all, or those of a path.
 *
 * @throws CommandFailure when there is none of that path
 */
export function placesFor(inspection: BacklogInspection, { place: wanted }: Arguments): Place[] {
  const places = inspection.places();
  if (wanted === undefined) {
    return places;
  }
  const chosen = places.filter((place) => place.path === wanted || nameOf(place) === wanted);
  if (chosen.length === 0) {
    throw new CommandFailure(
      `nothing is kept of ${wanted}; there is ${places.map(nameOf).join(', ') || 'nothing else'}`,
    );
  }
  return chosen;
}
