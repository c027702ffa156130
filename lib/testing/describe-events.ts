import type { TrackingEvent } from '../core/event.js';

/** More names than this in one message help nobody. */
const MAX_NAMES = 20;

/** How often each name came, in the order of their first coming: `order.created ×2, order.paid`. */
export function tally(events: readonly TrackingEvent[]): string {
  if (events.length === 0) {
    return 'nothing';
  }
  const counts = new Map<string, number>();
  for (const { name } of events) {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const shown = [...counts]
    .slice(0, MAX_NAMES)
    .map(([name, count]) => (count === 1 ? name : `${name} ×${count}`));
  const more = counts.size - shown.length;
  return more === 0 ? shown.join(', ') : `${shown.join(', ')} and ${more} more names`;
}
