import type { BacklogParts } from './backlog-parts.js';
import type { Unreadable } from './events-in-care.js';

/** Events of which a damaged file holds nothing that could be delivered: they are dead, and somebody has to know. */
export function giveUpUnreadable(
  { contents, commits, file, host }: BacklogParts,
  events: readonly Unreadable[],
): void {
  for (const { chunk, index, size } of events) {
    contents.settled(chunk, index, size, false);
  }
  commits.push({
    write: (draft) => {
      for (const { chunk } of events) {
        if (!chunk.range.lost) {
          draft.settle(chunk);
        }
      }
    },
  });
  host.report({
    code: 'backlog_failed',
    message: `${file.path} is damaged: ${events.length} events in it cannot be read, and are lost`,
  });
  // Nothing of them can be handed over, but whoever waits for them to be settled has to hear of it.
  host.lost([], { reason: 'unencodable' });
}
