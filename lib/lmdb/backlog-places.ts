import { systemClock } from '../core/system-clock.js';
import { BacklogFile } from './backlog-file.js';
import { keysOf, rangeIdIn } from './backlog-keys.js';
import { eventLoopTurn } from './event-loop-turn.js';
import { letterHead } from './lmdb-dead-letters.js';
import { RangeReader } from './range-reader.js';
import { decodeRecord } from './range-record.js';

/** What one backend has in the file. */
export interface BacklogPlace {
  readonly tracker: string;
  readonly path: string;
  /** Waiting, leased ones included. */
  readonly events: number;
  readonly bytes: number;
  /** Epoch milliseconds of the acceptance of the oldest of them. */
  readonly oldestAt?: number;
  readonly deadLetters: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const CHUNKS_PER_SLICE = 5_000;

/**
 * What all backends have in the LMDB of a folder, whether the app runs or not; nothing is changed.
 *
 * @throws TrackingError `invalid_options` (rejects) when the file cannot be used
 */
export async function backlogPlaces(
  folder: string,
  durability: 'process' | 'power' = 'process',
): Promise<BacklogPlace[]> {
  const file = BacklogFile.open(folder, durability, systemClock());
  const places = new Map<string, Mutable<BacklogPlace>>();
  const placeOf = (tracker: string, path: string): Mutable<BacklogPlace> => {
    const key = JSON.stringify([tracker, path]);
    const place = places.get(key) ?? {
      ...{ tracker, path, events: 0, bytes: 0, deadLetters: 0 },
    };
    places.set(key, place);
    return place;
  };
  try {
    for (const { key, value } of [...file.entries(keysOf('r'))]) {
      const record = decodeRecord(value);
      if (record !== undefined) {
        const id = rangeIdIn(key);
        await countEvents(file, id, placeOf(record.tracker, record.path));
      }
    }
    for (const { value } of file.entries(keysOf('d'))) {
      const { tracker, path } = letterHead(value);
      placeOf(tracker, path).deadLetters++;
    }
  } finally {
    await file.close();
  }
  return [...places.values()];
}

async function countEvents(
  file: BacklogFile,
  id: string,
  place: Mutable<BacklogPlace>,
): Promise<void> {
  const range = { id, chunks: 0, adopted: true, lost: false };
  const reader = new RangeReader(file, range, undefined);
  while (!reader.done) {
    reader.step(CHUNKS_PER_SLICE);
    await eventLoopTurn();
  }
  for (const chunk of reader.chunks) {
    place.events += chunk.left;
    place.bytes += chunk.bytes;
    place.oldestAt = Math.min(place.oldestAt ?? Infinity, chunk.acceptedAt);
  }
}
