import { defineGetter } from './define-getter.js';
import type { JsonObject } from './json.js';
import { deepFreeze } from './json.js';
import { StoredEvent } from './stored-event.js';

/** One thing that happened. Immutable, all the way down; equal to what its JSON gives back. */
export interface TrackingEvent {
  /** UUIDv7 unless the app gave an id: sorting by it is the order of emission. */
  readonly id: string;
  readonly name: string;
  /** ISO 8601, UTC, milliseconds. */
  readonly timestamp: string;
  readonly data: JsonObject;
  /** The merged frames of the scope it happened in. */
  readonly context: JsonObject;
}

/**
 * The event as this package makes it: its JSON is made at birth and shared by every backend, `data` is read back from
 * it when somebody asks. All five properties are the event's own, so spreading and cloning see them.
 */
export class TrackedEvent implements TrackingEvent {
  readonly #json: string;
  readonly #payload: string;
  readonly #bytes: number;
  #data: JsonObject | undefined;
  // Only declared: the constructor defines them in the order of the JSON.
  declare readonly id: string;
  declare readonly name: string;
  declare readonly timestamp: string;
  declare readonly data: JsonObject;
  declare readonly context: JsonObject;

  /**
   * @param payload the JSON of `data`, which is part of `json`
   * @param bytes the size of `json` in UTF-8
   */
  constructor(
    id: string,
    name: string,
    timestamp: string,
    context: JsonObject,
    json: string,
    payload: string,
    bytes: number,
  ) {
    this.#json = json;
    this.#payload = payload;
    this.#bytes = bytes;
    this.id = id;
    this.name = name;
    this.timestamp = timestamp;
    defineGetter.call(this, 'data', readData);
    this.context = context;
    Object.freeze(this);
  }

  toJSON(): TrackingEvent {
    const { id, name, timestamp, data, context } = this;
    return { id, name, timestamp, data, context };
  }

  /** What `console.log` shows: the values, not a getter. */
  [Symbol.for('nodejs.util.inspect.custom')](): TrackingEvent {
    return this.toJSON();
  }

  /** The JSON of an event that this copy of the package made. */
  static jsonOf(event: TrackingEvent): string | undefined {
    return #json in event ? event.#json : undefined;
  }

  static sizeOf(event: TrackingEvent): number | undefined {
    return #json in event ? event.#bytes : undefined;
  }

  /** Its `data`, read once. Tools that copy getters (test runners, for their diffs) must not stumble over them. */
  static dataOf(event: object): JsonObject | undefined {
    return #data in event
      ? (event.#data ??= deepFreeze(JSON.parse(event.#payload) as JsonObject))
      : undefined;
  }

  /** The JSON of its `data`. */
  static payloadOf(event: TrackedEvent): string {
    return event.#payload;
  }
}

function readData(this: object): JsonObject | undefined {
  return TrackedEvent.dataOf(this);
}

/** An event's JSON as a text. Costs nothing for events of a tracker: it was made when they were emitted. */
export function eventJson(event: TrackingEvent): string {
  return TrackedEvent.jsonOf(event) ?? StoredEvent.jsonOf(event) ?? JSON.stringify(event);
}

/** An event's JSON in UTF-8. */
export function eventUtf8(event: TrackingEvent): Uint8Array {
  return Buffer.from(eventJson(event));
}

/** The size of an event's JSON in UTF-8. */
export function eventBytes(event: TrackingEvent): number {
  return TrackedEvent.sizeOf(event) ?? StoredEvent.sizeOf(event) ?? Buffer.byteLength(eventJson(event));
}

/**
 * An event back from a storage, with the JSON it was stored as.
 *
 * @param json what `eventJson` answered for it
 * @param bytes the size of `json` in UTF-8, when it is known
 */
export function storedEvent(json: string, bytes: number = Buffer.byteLength(json)): TrackingEvent {
  return new StoredEvent(json, bytes);
}

/** The JSON of an event's `data` alone. Costs nothing for events of a tracker. */
export function eventDataJson(event: TrackingEvent): string {
  return event instanceof TrackedEvent ? TrackedEvent.payloadOf(event) : JSON.stringify(event.data);
}

/**
 * The same event in another context; its payload is not read again.
 *
 * @param context JSON, which is frozen here
 */
export function eventInContext(event: TrackingEvent, context: JsonObject): TrackingEvent {
  const { id, name, timestamp } = event;
  const payload = eventDataJson(event);
  const json = `{"id":${JSON.stringify(id)},"name":${JSON.stringify(name)},"timestamp":${JSON.stringify(timestamp)},"data":${payload},"context":${JSON.stringify(context)}}`;
  return new TrackedEvent(id, name, timestamp, deepFreeze(context), json, payload, Buffer.byteLength(json));
}
