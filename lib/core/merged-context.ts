import type { JsonObject, JsonValue } from './json.js';
import { deepFreeze, EMPTY_OBJECT } from './json.js';

/** What was entered under one name, as JSON that nobody can change. */
export class Frame {
  /** The members of its JSON, without the braces. */
  readonly members: string;
  readonly keys: readonly string[];
  /** Whether it may do more than add its keys behind those of others: remove one, or show one before all. */
  readonly isSpecial: boolean = false;
  private read: JsonObject | undefined;

  /**
   * @param json of an object
   * @param value what was written; absent when it has to be read back
   */
  constructor(
    private readonly json: string,
    value?: object,
  ) {
    this.members = json.slice(1, -1);
    const keys: string[] = [];
    const members = (value ?? this.data) as Record<string, unknown>;
    for (const key in members) {
      if (members[key] !== undefined) {
        keys.push(key);
        this.isSpecial ||= members[key] === null || isIndex(key);
      }
    }
    this.keys = keys;
  }

  /** Frozen. */
  get data(): JsonObject {
    return (this.read ??= deepFreeze(JSON.parse(this.json) as JsonObject));
  }
}

/**
 * Frames put on top of each other, the strongest last: per top-level key the later wins, and a key set to `null` is
 * removed from the result. Immutable; put together when somebody asks, and once for all events of the same moment.
 */
export class MergedContext {
  private written: string | undefined;
  private read: JsonObject | undefined;

  constructor(private readonly frames: readonly Frame[]) {}

  /** How an event's JSON ends: with this context. */
  get ending(): string {
    return (this.written ??= `,"context":${this.json()}}`);
  }

  /** Frozen, and equal to what its JSON gives back. */
  get object(): JsonObject {
    return (this.read ??=
      this.frames.length === 0
        ? EMPTY_OBJECT
        : deepFreeze(JSON.parse(this.ending.slice(BEFORE_CONTEXT, -1)) as JsonObject));
  }

  with(frame: Frame): MergedContext {
    return new MergedContext([...this.frames, frame]);
  }

  private json(): string {
    let text = '';
    for (let i = 0; i < this.frames.length; i++) {
      const frame = this.frames[i] as Frame;
      if (!onlyAdds(frame, this.frames, i)) {
        return JSON.stringify(merged(this.frames));
      }
      const { members } = frame;
      text = text === '' || members === '' ? text + members : `${text},${members}`;
    }
    return `{${text}}`;
  }
}

const BEFORE_CONTEXT = ',"context":'.length;
export const EMPTY_CONTEXT = new MergedContext([]);

/** Where each frame only adds keys to those below it, their texts need only be put in a row. */
function onlyAdds({ keys, isSpecial }: Frame, frames: readonly Frame[], index: number): boolean {
  if (isSpecial) {
    return false;
  }
  for (let below = 0; below < index; below++) {
    const known = (frames[below] as Frame).keys;
    for (const key of keys) {
      if (known.includes(key)) {
        return false;
      }
    }
  }
  return true;
}

function merged(frames: readonly Frame[]): JsonObject {
  const result: Record<string, JsonValue> = {};
  for (const { data } of frames) {
    for (const [key, value] of Object.entries(data)) {
      if (value === null) {
        // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- a fresh object with few keys
        delete result[key];
      } else {
        result[key] = value;
      }
    }
  }
  return result;
}

/** Objects show keys like `7` before all others, whenever they were added. */
function isIndex(key: string): boolean {
  const first = key.charCodeAt(0);
  return first >= 0x30 && first <= 0x39;
}
