import type { TrackingEvent } from '../core/event.js';
import type { JsonObject, JsonValue } from '../core/json.js';
import { isRecord } from '../core/options.js';

export type SegmentCall = 'track' | 'identify' | 'group' | 'page' | 'screen' | 'alias';

/** A message of Segment's HTTP API without what was tracked, and without context. */
export interface SegmentHead {
  readonly type: SegmentCall;
  readonly messageId: string;
  readonly timestamp: string;
  readonly userId?: string;
  readonly anonymousId?: string;
  /** `track`: what happened. */
  readonly event?: string;
  /** `page`, `screen`. */
  readonly name?: string;
  readonly category?: string;
  readonly groupId?: string;
  /** `alias`: who the user was before. */
  readonly previousId?: string;
}

export interface SegmentMessage extends SegmentHead {
  readonly properties?: JsonObject;
  /** `identify`, `group`. */
  readonly traits?: JsonObject;
  readonly context: JsonObject;
  readonly integrations?: JsonObject;
}

/** Segment takes no message without an id; one id for all who have none keeps them from being counted as users. */
const NOBODY = 'anonymous';

/**
 * Which call an event is, and for whom. Names with a meaning become their call; where the id is missing that the call
 * cannot do without, the event stays a `track`.
 */
export function segmentHead(event: TrackingEvent): SegmentHead {
  const { id: messageId, name, timestamp, data } = event;
  const common = { messageId, timestamp };
  switch (name) {
    case 'user.identified':
      return { type: 'identify', ...common, ...who(event, data['userId']) };
    case 'user.aliased': {
      const identity = who(event, data['userId']);
      const previousId = idOf(data['previousId']);
      if (identity.userId !== undefined && previousId !== undefined) {
        return { type: 'alias', ...common, ...identity, previousId };
      }
      break;
    }
    case 'group.identified': {
      const groupId = idOf(data['groupId']);
      if (groupId !== undefined) {
        return { type: 'group', ...common, ...who(event), groupId };
      }
      break;
    }
    case 'page.viewed':
      return { type: 'page', ...common, ...who(event), ...titles(data) };
    case 'screen.viewed':
      return { type: 'screen', ...common, ...who(event), ...titles(data) };
  }
  return { type: 'track', ...common, ...who(event), event: name };
}

/** Under which name the event's data is sent. */
export function contentOf({ type }: SegmentHead): 'properties' | 'traits' {
  return type === 'identify' || type === 'group' ? 'traits' : 'properties';
}

/** The user where there is one, else the session. */
function who(
  { context }: TrackingEvent,
  otherUserId?: JsonValue,
): { readonly userId?: string; readonly anonymousId?: string } {
  const userId = idAt(context['user']) ?? idOf(otherUserId);
  return userId === undefined ? { anonymousId: idAt(context['session']) ?? NOBODY } : { userId };
}

function titles(data: JsonObject): {
  readonly name?: string;
  readonly category?: string;
} {
  const { name, category } = data;
  return {
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof category === 'string' ? { category } : {}),
  };
}

function idAt(value: JsonValue | undefined): string | undefined {
  return isRecord(value) ? idOf(value['id']) : undefined;
}

function idOf(value: unknown): string | undefined {
  return (typeof value === 'string' && value !== '') || typeof value === 'number' ? String(value) : undefined;
}
