import { defineGetter } from './define-getter.js';
import type { JsonObject } from './json.js';
import { deepFreeze } from './json.js';

/** How the JSON of an event of ours begins, as long as nothing in it needs escaping. */
const HEAD = /^\{"id":"([^"\\]*)","name":"([^"\\]*)","timestamp":"([^"\\]*)","data":/;

interface Head {
  readonly id: string;
  readonly name: string;
  readonly timestamp: string;
}

interface Whole extends Head {
  readonly data: JsonObject;
  readonly context: JsonObject;
}

/**
 * An event that comes back from a storage as JSON. Nothing is read until somebody asks; id, name and timestamp without
 * reading the rest. All five properties are the event's own, so spreading and cloning see them.
 */
export class StoredEvent implements Whole {
  readonly #json: string;
  readonly #bytes: number;
  #head: Head | undefined;
  #whole: Whole | undefined;
  declare readonly id: string;
  declare readonly name: string;
  declare readonly timestamp: string;
  declare readonly data: JsonObject;
  declare readonly context: JsonObject;

  /**
   * @param json what `eventJson` once answered
   * @param bytes its size in UTF-8
   */
  constructor(json: string, bytes: number) {
    this.#json = json;
    this.#bytes = bytes;
    defineGetter.call(this, 'id', readId);
    defineGetter.call(this, 'name', readName);
    defineGetter.call(this, 'timestamp', readTimestamp);
    defineGetter.call(this, 'data', readData);
    defineGetter.call(this, 'context', readContext);
    Object.freeze(this);
  }

  toJSON(): Whole {
    return StoredEvent.wholeOf(this);
  }

  [Symbol.for('nodejs.util.inspect.custom')](): Whole {
    return this.toJSON();
  }

  static jsonOf(event: object): string | undefined {
    return #json in event ? event.#json : undefined;
  }

  static sizeOf(event: object): number | undefined {
    return #bytes in event ? event.#bytes : undefined;
  }

  static headOf(event: StoredEvent): Head {
    if (event.#head === undefined) {
      const [, id, name, timestamp] = HEAD.exec(event.#json) ?? [];
      event.#head =
        id === undefined || name === undefined || timestamp === undefined
          ? StoredEvent.wholeOf(event)
          : { id, name, timestamp };
    }
    return event.#head;
  }

  static wholeOf(event: StoredEvent): Whole {
    return (event.#whole ??= deepFreeze(JSON.parse(event.#json) as JsonObject) as unknown as Whole);
  }

  static is(value: object): value is StoredEvent {
    return #json in value;
  }
}

// Tools that copy getters (test runners, for their diffs) must not stumble over them.
function readId(this: object): string | undefined {
  return StoredEvent.is(this) ? StoredEvent.headOf(this).id : undefined;
}

function readName(this: object): string | undefined {
  return StoredEvent.is(this) ? StoredEvent.headOf(this).name : undefined;
}

function readTimestamp(this: object): string | undefined {
  return StoredEvent.is(this) ? StoredEvent.headOf(this).timestamp : undefined;
}

function readData(this: object): JsonObject | undefined {
  return StoredEvent.is(this) ? StoredEvent.wholeOf(this).data : undefined;
}

function readContext(this: object): JsonObject | undefined {
  return StoredEvent.is(this) ? StoredEvent.wholeOf(this).context : undefined;
}
