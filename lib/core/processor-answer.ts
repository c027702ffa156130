import type { TrackedEvent, TrackingEvent } from './event.js';
import type { EventFactory } from './event-factory.js';
import { isUuid, nameUuid } from './ids.js';
import type { DropReason } from './processor.js';

/** The events that a processor made of one, and why some of them could not be. */
export interface ProcessorAnswer {
  readonly events: readonly TrackedEvent[];
  readonly refused: readonly DropReason[];
}

const EVENT_KEYS: readonly (keyof TrackingEvent)[] = ['name', 'data', 'context', 'id', 'timestamp'];
/** The namespace for names that are no UUID: RFC 9562 Appendix C, "OID". */
const NAMESPACE_OID = '6ba7b812-9dad-11d1-80b4-00c04fd430c8';

/**
 * Reads an event or an array of events. From the second of an array on, a repeated id becomes a name-based UUID of
 * parent and index, so that replaying the parent gives the same children.
 *
 * @throws TypeError when the answer is neither
 */
export function readAnswer(answer: unknown, parent: TrackedEvent, factory: EventFactory): ProcessorAnswer {
  if (!Array.isArray(answer)) {
    const born = factory.adopt(asEvent(answer), parent);
    return typeof born === 'string' ? { events: [], refused: [born] } : { events: [born], refused: [] };
  }
  if (answer.length === 0) {
    return { events: [], refused: ['filtered'] };
  }
  const events: TrackedEvent[] = [];
  const refused: DropReason[] = [];
  const ids = new Set<string>();
  // By index: `forEach` would skip the holes of a sparse array, and the event with them.
  for (let index = 0; index < answer.length; index++) {
    let born = factory.adopt(asEvent(answer[index]), parent);
    if (typeof born !== 'string' && ids.has(born.id)) {
      born = factory.adopt({ id: derivedId(parent.id, index) }, born);
    }
    if (typeof born === 'string') {
      refused.push(born);
    } else {
      ids.add(born.id);
      events.push(born);
    }
  }
  return { events, refused };
}

function asEvent(answer: unknown): Partial<TrackingEvent> {
  if (typeof answer === 'object' && answer !== null && EVENT_KEYS.some((key) => key in answer)) {
    return answer;
  }
  throw new TypeError('expected an event, an array of events, drop(reason) or nothing');
}

function derivedId(parentId: string, index: number): string {
  const namespace = isUuid(parentId) ? parentId : nameUuid(NAMESPACE_OID, parentId);
  return nameUuid(namespace, String(index));
}
