import type { JsonObject } from './json.js';
import { deepFreeze } from './json.js';
import { Frame, MergedContext } from './merged-context.js';
import type { EventData, EventName } from './tracked-events.js';

/** One thing that happened. Immutable, all the way down; equal to what its JSON gives back. */
interface EventOf<Name extends string> {
  /** UUIDv7 unless the app gave an id: sorting by it is the order of emission. */
  readonly id: string;
  readonly name: Name;
  /** ISO 8601, UTC, milliseconds. */
  readonly timestamp: string;
  readonly data: EventData<Name>;
  /** The merged frames of the scope it happened in. */
  readonly context: JsonObject;
}

/**
 * An event as processors, backends and rules see it. Where an app declares its events in `TrackedEvents`, this is a union
 * of them: looking at `name` tells the type of `data`.
 *
 * @typeParam Name one of the declared names; default: all of them
 */
export type TrackingEvent<Name extends EventName = EventName> = Name extends string ? EventOf<Name> : never;

/** What an event says beside its payload and context. */
export type EventHead = Pick<EventOf<string>, 'id' | 'name' | 'timestamp'>;

/** What an event knows of itself. */
export interface EventState {
  readonly json: string;
  /** Absent, as all that follow, when the event comes back from a storage. */
  readonly head: EventHead | undefined;
  /** The JSON of `data`. */
  readonly payload: string | undefined;
  readonly merged: MergedContext | undefined;
  /** Whether the app's `onError` emitted it. */
  readonly fromOnError: boolean;
  /** Of `json` in UTF-8, once somebody asked. */
  bytes: number | undefined;
  /** What was read back from `json`, once somebody asked. */
  data: JsonObject | undefined;
  whole: EventOf<string> | undefined;
}

/**
 * The event as this package makes it: text that is written when it is emitted and shared by every backend; what is not
 * known otherwise is read back when somebody asks. All five properties are the event's own, so that spreading and cloning
 * see them.
 */
export class TrackedEvent implements EventOf<string> {
  readonly #state: EventState;
  // Only declared: the constructor defines them in the order of the JSON.
  declare readonly id: string;
  declare readonly name: string;
  declare readonly timestamp: string;
  declare readonly data: JsonObject;
  declare readonly context: JsonObject;

  constructor(state: EventState) {
    this.#state = state;
    const { head } = state;
    if (head === undefined) {
      defineGetter.call(this, 'id', GETTERS.id);
      defineGetter.call(this, 'name', GETTERS.name);
      defineGetter.call(this, 'timestamp', GETTERS.timestamp);
    } else {
      this.id = head.id;
      this.name = head.name;
      this.timestamp = head.timestamp;
    }
    defineGetter.call(this, 'data', GETTERS.data);
    defineGetter.call(this, 'context', GETTERS.context);
    Object.freeze(this);
  }

  toJSON(): EventOf<string> {
    const { id, name, timestamp, data, context } = this;
    return { id, name, timestamp, data, context };
  }

  /** What `console.log` shows: the values, not a getter. */
  [Symbol.for('nodejs.util.inspect.custom')](): EventOf<string> {
    return this.toJSON();
  }

  /** What an event of this package knows of itself; `undefined` for anything else. */
  static state(event: object): EventState | undefined {
    return #state in event ? event.#state : undefined;
  }
}

/**
 * Defines an enumerable getter of an object's own. In every engine (ECMA-262 §B.2.2.2); `Object.defineProperty` takes half
 * as long again, which is a tenth of what an event costs.
 */
const defineGetter = (
  Object.prototype as unknown as {
    __defineGetter__: (this: object, key: string, get: () => unknown) => void;
  }
).__defineGetter__;

/** How the JSON of an event of ours begins, as long as nothing in it needs escaping. */
const HEAD = /^\{"id":"([^"\\]*)","name":"([^"\\]*)","timestamp":"([^"\\]*)","data":/;

const GETTERS = {
  // Of stored events; without reading the rest, which mostly nobody wants to know.
  id: getter((state) => HEAD.exec(state.json)?.[1] ?? wholeOf(state).id),
  name: getter((state) => HEAD.exec(state.json)?.[2] ?? wholeOf(state).name),
  timestamp: getter((state) => HEAD.exec(state.json)?.[3] ?? wholeOf(state).timestamp),
  data: getter((state) =>
    state.payload === undefined
      ? wholeOf(state).data
      : (state.data ??= deepFreeze(JSON.parse(state.payload) as JsonObject)),
  ),
  context: getter((state) => state.merged?.object ?? wholeOf(state).context),
};

/** Tools copy getters (test runners, for their diffs) onto objects that are not events: nothing there may throw. */
function getter<T>(read: (state: EventState) => T): (this: object) => T | undefined {
  return function (this: object) {
    const state = TrackedEvent.state(this);
    return state && read(state);
  };
}

function wholeOf(state: EventState): EventOf<string> {
  return (state.whole ??= deepFreeze(JSON.parse(state.json) as JsonObject) as unknown as EventOf<string>);
}

/** An event's JSON as a string. Costs nothing for events of a tracker: it was made when they were emitted. */
export function eventJson(event: TrackingEvent): string {
  return TrackedEvent.state(event)?.json ?? JSON.stringify(event);
}

/** An event's JSON in UTF-8. */
export function eventUtf8(event: TrackingEvent): Uint8Array {
  return Buffer.from(eventJson(event));
}

/** The size of an event's JSON in UTF-8. */
export function eventBytes(event: TrackingEvent): number {
  const state = TrackedEvent.state(event);
  if (state === undefined) {
    return Buffer.byteLength(JSON.stringify(event));
  }
  return (state.bytes ??= Buffer.byteLength(state.json));
}

/** The JSON of an event's `data` alone. Costs nothing for events of a tracker. */
export function eventDataJson(event: TrackingEvent): string {
  return TrackedEvent.state(event)?.payload ?? JSON.stringify(event.data);
}

/**
 * An event back from a storage, with the JSON it was stored as.
 *
 * @param json what `eventJson` once returned for it
 * @param bytes the size of `json` in UTF-8, when it is known
 */
export function storedEvent(json: string, bytes?: number): TrackingEvent {
  const nothing = {
    head: undefined,
    payload: undefined,
    merged: undefined,
    data: undefined,
    whole: undefined,
  };
  return new TrackedEvent({ json, bytes, fromOnError: false, ...nothing });
}

/**
 * Puts an event together. Concatenation copies nothing: the engine links the parts until somebody reads the whole.
 *
 * @param start its JSON up to the payload
 */
export function writeEvent(
  start: string,
  head: EventHead,
  payload: string,
  merged: MergedContext,
  fromOnError: boolean,
): TrackedEvent {
  const json = start + payload + merged.ending;
  return new TrackedEvent({
    json,
    head,
    payload,
    merged,
    fromOnError,
    bytes: undefined,
    data: undefined,
    whole: undefined,
  });
}

/** An event's JSON up to the payload. */
export function eventStart({ id, name, timestamp }: EventHead): string {
  return `{"id":${JSON.stringify(id)},${afterId(name, timestamp)}`;
}

/** What stands between the id and the payload. */
export function afterId(name: string, timestamp: string): string {
  return `"name":${JSON.stringify(name)},"timestamp":"${timestamp}","data":`;
}

/**
 * The same event in another context; its payload is not read again.
 *
 * @param context JSON
 */
export function eventInContext(event: TrackingEvent, context: JsonObject): TrackedEvent {
  const { id, name, timestamp } = event;
  const head = { id, name, timestamp };
  const merged = new MergedContext([new Frame(JSON.stringify(context))]);
  const fromOnError = TrackedEvent.state(event)?.fromOnError ?? false;
  return writeEvent(eventStart(head), head, eventDataJson(event), merged, fromOnError);
}
