import type { TrackingEvent } from '../core/event.js';
import { eventJson } from '../core/event.js';

/** Joins the events' JSON as it is: it was made when they were emitted. */
export function joinJson(
  batch: readonly TrackingEvent[],
  before: string,
  between: string,
  after: string,
): string {
  let text = before;
  for (let i = 0; i < batch.length; i++) {
    const json = eventJson(batch[i] as TrackingEvent);
    text += i === 0 ? json : between + json;
  }
  return text + after;
}
