import type { JsonObject, JsonText } from './json.js';
import { EMPTY_OBJECT } from './json.js';
import type { JsonWriter } from './json-writer.js';
import { jsonText } from './json-writer.js';

const NOTHING: JsonText = { text: '', bytes: 0 };
const OPENING = ',"context":{';
const CLOSING = '}}';

/**
 * Merged frames, immutable, with the JSON that all events of the same moment share.
 *
 * Invariants
 * - The JSON is that of the merged object. Where a frame only adds keys, it is put together from that of the frames
 *   below and of the frame, each of which is written once.
 * - The frame put on top last is remembered with its result: what an app enters is mostly what it entered before.
 */
export class ResolvedContext {
  /** Everything merged, frozen. */
  readonly object: JsonObject;
  private readonly below: ResolvedContext | undefined;
  private readonly frame: JsonObject;
  private members: JsonText | undefined;
  private ending: JsonText | undefined;
  private lastFrame: JsonObject | undefined;
  private lastResult: ResolvedContext | undefined;

  /**
   * @param frame frozen
   * @param below what the frame is put on
   */
  constructor(frame: JsonObject, below?: ResolvedContext) {
    const adds = below === undefined || onlyAdds(frame, below.object);
    this.object =
      below === undefined || (adds && below.object === EMPTY_OBJECT)
        ? frame
        : mergeFrames([below.object, frame]);
    this.frame = adds ? frame : this.object;
    this.below = adds ? below : undefined;
  }

  /** Puts a frame on top. */
  with(frame: JsonObject): ResolvedContext {
    if (frame === EMPTY_OBJECT) {
      return this;
    }
    if (frame !== this.lastFrame || this.lastResult === undefined) {
      this.lastResult = new ResolvedContext(frame, this);
      this.lastFrame = frame;
    }
    return this.lastResult;
  }

  /** How an event's JSON ends: with this context. */
  tail(writer: JsonWriter): JsonText {
    if (this.ending === undefined) {
      const { text, bytes } = this.membersJson(writer);
      this.ending = {
        text: `${OPENING}${text}${CLOSING}`,
        bytes: OPENING.length + bytes + CLOSING.length,
      };
    }
    return this.ending;
  }

  /** The JSON of the object without its braces. */
  private membersJson(writer: JsonWriter): JsonText {
    return (this.members ??= joined(
      this.below?.membersJson(writer) ?? NOTHING,
      withoutBraces(jsonText(this.frame, writer)),
    ));
  }
}

export const EMPTY_CONTEXT = new ResolvedContext(EMPTY_OBJECT);

/** Whether merging puts a frame's keys, as they are, behind those that are there. */
function onlyAdds(frame: JsonObject, below: JsonObject): boolean {
  for (const key of Object.keys(frame)) {
    const value = frame[key];
    if (value === null || value === undefined || Object.hasOwn(below, key) || isIndex(key)) {
      return false;
    }
  }
  return true;
}

/** Objects show keys like `7` before all others, whenever they were added. */
function isIndex(key: string): boolean {
  const first = key.charCodeAt(0);
  return first >= 0x30 && first <= 0x39;
}

function withoutBraces({ text, bytes }: JsonText): JsonText {
  return { text: text.slice(1, -1), bytes: bytes - 2 };
}

function joined(first: JsonText, second: JsonText): JsonText {
  if (first.bytes === 0 || second.bytes === 0) {
    return first.bytes === 0 ? second : first;
  }
  return {
    text: `${first.text},${second.text}`,
    bytes: first.bytes + 1 + second.bytes,
  };
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
