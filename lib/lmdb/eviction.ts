import type { TrackingEvent } from '../core/event.js';
import { eventBytes } from '../core/event.js';
import type { BacklogContents } from './backlog-contents.js';
import type { BacklogParts } from './backlog-parts.js';
import type { Chunk } from './chunk.js';
import { giveUpUnreadable } from './unreadable-events.js';

/** One event that is evicted. */
export interface Victim {
  /** Absent where the file is damaged: it was given up and told of. */
  readonly event: TrackingEvent | undefined;
  /** Where it is stored, unless it never was. */
  readonly chunk: Chunk | undefined;
}

/** Gives up the oldest event that nobody has in care. */
export function evictOldest(parts: BacklogParts): Victim | undefined {
  const { contents } = parts;
  const queue = contents.queues.withOldest();
  const seq = queue?.first;
  if (queue === undefined || seq === undefined) {
    return evictFresh(contents);
  }
  const chunk = contents.chunkOf(seq);
  const index = seq - chunk.base;
  const reader = contents.readerOf(chunk);
  const size = reader?.sizeOf(index);
  queue.drop(1, size ?? 0);
  if (reader === undefined || size === undefined || reader.isMarked(index)) {
    contents.settledElsewhere(chunk, index, size);
    return evictOldest(parts);
  }
  const event = reader.soundEventOf(index);
  if (event === undefined) {
    giveUpUnreadable(parts, [{ chunk, index, size }]);
  } else {
    contents.settled(chunk, index, size, false);
  }
  return { event, chunk };
}

/** Of those that are not stored yet. */
function evictFresh(contents: BacklogContents): Victim | undefined {
  for (const chunk of contents.fresh) {
    const index = chunk.firstLeft();
    const event = chunk.fresh?.events[index];
    if (event !== undefined) {
      const bytes = eventBytes(event);
      if (chunk.fresh?.written === true) {
        contents.settled(chunk, index, bytes, false);
        return { event, chunk };
      }
      contents.dropFirst(chunk, bytes);
      return { event, chunk: undefined };
    }
  }
  return undefined;
}
