import type { JsonObject, JsonValue } from './json.js';
import { isPlain } from './plain.js';

/** Most names whose last frame is kept. */
const MAX_NAMES = 100;

/**
 * Remembers the last frame of each name. Most of what an app enters it entered before (a feature, a tenant, a job): the
 * same frame again costs a comparison, and everything that was made of it, its JSON above all, is still there.
 */
export class FrameMemo {
  private readonly frames = new Map<string, JsonObject>();

  /** The frame that says the same as this data, if it was the last of that name. Reads the data, which may throw. */
  recall(name: string, data: unknown): JsonObject | undefined {
    const frame = this.frames.get(name);
    return frame !== undefined && isPlain(data) && saysTheSame(data, frame) ? frame : undefined;
  }

  keep(name: string, frame: JsonObject): void {
    if (this.frames.size < MAX_NAMES || this.frames.has(name)) {
      this.frames.set(name, frame);
    }
  }
}

/** Whether the data, made into plain JSON, would be equal to the frame; in doubt it says no. */
function saysTheSame(data: Record<string, unknown>, frame: JsonObject): boolean {
  let keys = 0;
  for (const key in data) {
    if (key === '__proto__' || !isSame(data[key], frame[key])) {
      return false;
    }
    keys++;
  }
  return keys === Object.keys(frame).length;
}

/** What the frame does not have is `undefined`, or a function that every object inherits. */
function isSame(value: unknown, known: JsonValue | undefined): boolean {
  switch (typeof value) {
    case 'undefined':
    case 'function':
      return false;
    case 'object':
      return value === known || (isPlain(value) && isPlain(known) && saysTheSame(value, known));
    default:
      return value === known;
  }
}
