import type { TrackingEvent } from '../core/event.js';
import { eventDataJson } from '../core/event.js';
import type { JsonObject } from '../core/json.js';
import type { Problems } from '../core/options.js';

/* JSON put together from parts that are JSON already. */

/** The JSON of contexts, made once for all events of a batch that share one. */
export type ContextJson = (context: JsonObject) => string;

/** @param convert makes the destination's context of ours. Default: as it is */
export function contextTexts(
  convert: (context: JsonObject) => JsonObject = (context) => context,
): ContextJson {
  const texts = new Map<JsonObject, string>();
  return (context) => {
    let text = texts.get(context);
    if (text === undefined) {
      text = JSON.stringify(convert(context));
      texts.set(context, text);
    }
    return text;
  };
}

export function jsonArray(items: readonly string[]): string {
  return `[${items.join(',')}]`;
}

/** Adds members to an object, both of them JSON. */
export function withMembers(object: string, members: string): string {
  return object === '{}' ? `{${members}}` : `${object.slice(0, -1)},${members}}`;
}

/** A key that stands in no one's way: it gets underscores in front until the object has no such key. */
export function freeKey(key: string, object: JsonObject): string {
  let free = key;
  while (Object.hasOwn(object, free)) {
    free = `_${free}`;
  }
  return free;
}

/**
 * Under which key of its payload an event's `id`, `name`, `timestamp` and `context` go, for formats that have no place
 * for them; `false` leaves them out. A payload with such a key keeps it: the other then gets an underscore in front.
 */
export type MetadataKey = string | false;

export const METADATA_KEY = '_event';

export function checkMetadataKey(problems: Problems, value: unknown): void {
  if (value !== false && (typeof value !== 'string' || value === '')) {
    problems.add('metadata', 'a non-empty string or false', value);
  }
}

/** The JSON of an event's payload, with the rest of the event under the key. */
export function payloadWithMetadata(
  event: TrackingEvent,
  key: MetadataKey,
  contextJson: ContextJson,
): string {
  const payload = eventDataJson(event);
  if (key === false) {
    return payload;
  }
  const { id, name, timestamp, context } = event;
  // Looking for the text spares reading the payload back.
  const free = payload.includes(JSON.stringify(key)) ? freeKey(key, event.data) : key;
  return withMembers(
    payload,
    `${JSON.stringify(free)}:{"id":${JSON.stringify(id)},"name":${JSON.stringify(name)},"timestamp":${JSON.stringify(timestamp)},"context":${contextJson(context)}}`,
  );
}
