import { randomBytes } from 'node:crypto';
import type { Clock } from '../core/clock.js';
import { eventBytes } from '../core/event.js';
import type { BacklogFile } from './backlog-file.js';
import { chunkKey, rangeKey } from './backlog-keys.js';
import { encodeChunk } from './chunk.js';
import type { StoredLetter } from './lmdb-dead-letters.js';
import { ownIdentity } from './process-identity.js';
import { encodeRecord } from './range-record.js';

/*
 * Invariants
 * - A dead letter goes and its event comes in one write: at every moment it is one of both.
 * - The events lie in a range of their own, whose backlog is closed from birth: so others adopt it at their next
 *   heartbeat or start, and nobody writes to it any more.
 * - The write has the condition that the first of the letters is there still, and is made after looking for the rest:
 *   two who replay the same do not do it twice.
 */

/** A lease reads whole chunks. */
const MAX_BYTES = 512 * 1024;
/** LMDB keeps a version with each value; that of a dead letter. */
const LETTER_VERSION = 1;
const RANGE_VERSION = 1;

/** @param replayed told how many more were replayed */
export async function replayLetters(
  file: BacklogFile,
  clock: Clock,
  place: {
    readonly id: string;
    readonly tracker: string;
    readonly path: string;
  },
  letters: readonly StoredLetter[],
  replayed: (count: number) => void,
): Promise<void> {
  let left = letters;
  while (left.length > 0) {
    file.refresh();
    left = left.filter(({ key }) => file.peek(key) !== undefined);
    const some = firstOf(left);
    const [first] = some;
    if (first === undefined) {
      return;
    }
    const { id, tracker, path } = place;
    const holder = randomBytes(8).toString('hex');
    const now = clock.now();
    const events = some.map(({ letter }) => letter.event);
    const name = {
      ...{ seq: 0, acceptedAt: now, count: events.length },
      size: events.reduce((sum, event) => sum + eventBytes(event), 0),
    };
    const done = await file.commit({ key: first.key, version: LETTER_VERSION }, (writes) => {
      writes.put(
        rangeKey(id, holder),
        encodeRecord({
          ...{ tracker, path, holder, beat: now, closed: true },
          ...ownIdentity(),
        }),
        RANGE_VERSION,
      );
      writes.put(chunkKey(holder, name), encodeChunk(events));
      for (const { key } of some) {
        writes.remove(key);
      }
    });
    if (done) {
      left = left.slice(some.length);
      replayed(some.length);
    }
  }
}

/** As many as make a chunk; at least one, where there is one. */
function firstOf(letters: readonly StoredLetter[]): readonly StoredLetter[] {
  let bytes = 0;
  const end = letters.findIndex(({ letter }, index) => {
    bytes += eventBytes(letter.event);
    return index > 0 && bytes > MAX_BYTES;
  });
  return end < 0 ? letters : letters.slice(0, end);
}
