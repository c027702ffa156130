import type { JsonObject, JsonText } from './json.js';
import { EMPTY_OBJECT } from './json.js';
import type { JsonWriter } from './json-writer.js';
import { jsonText } from './json-writer.js';

/** Merged frames, immutable, with the JSON that all events of the same moment share. */
export class ResolvedContext {
  private ending: JsonText | undefined;

  /** @param object everything merged, frozen */
  constructor(readonly object: JsonObject) {}

  /** Puts a frame on top. */
  with(frame: JsonObject): ResolvedContext {
    if (frame === EMPTY_OBJECT) {
      return this;
    }
    return new ResolvedContext(
      this.object === EMPTY_OBJECT && isMerged(frame)
        ? frame
        : mergeFrames([this.object, frame]),
    );
  }

  /** How an event's JSON ends: with this context. */
  tail(writer: JsonWriter): JsonText {
    if (this.ending === undefined) {
      const { text, bytes } = jsonText(this.object, writer);
      this.ending = {
        text: `,"context":${text}}`,
        bytes: bytes + ',"context":}'.length,
      };
    }
    return this.ending;
  }
}

export const EMPTY_CONTEXT = new ResolvedContext(EMPTY_OBJECT);

/** Whether merging would leave a frame as it is. */
function isMerged(frame: JsonObject): boolean {
  for (const key of Object.keys(frame)) {
    if (frame[key] === null || frame[key] === undefined) {
      return false;
    }
  }
  return Object.isFrozen(frame);
}

/**
 * Puts frames on top of each other, the strongest last: per top-level key the later wins, and a key set to `null` is
 * removed from the result.
 */
export function mergeFrames(frames: readonly JsonObject[]): JsonObject {
  const merged: Record<string, JsonObject[string]> = {};
  for (const frame of frames) {
    for (const key of Object.keys(frame)) {
      const value = frame[key];
      if (value === null) {
        // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- a fresh object with few keys
        delete merged[key];
      } else if (value !== undefined) {
        merged[key] = value;
      }
    }
  }
  return Object.freeze(merged);
}
