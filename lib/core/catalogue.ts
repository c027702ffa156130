import type { JsonObject } from './json.js';
import type { MaybePromise } from './processor.js';

/** What a schema says about a payload. */
export type ValidationResult =
  | {
      readonly valid: true;
      /** What the schema made of the payload; absent when it only checked. */
      readonly output?: JsonObject;
    }
  | {
      readonly valid: false;
      /** One line for each problem: `amount: expected a number`. */
      readonly problems: readonly string[];
    };

/** One kind of event. */
export interface EventDefinition {
  /** Checks a payload as backends see it, which is its JSON: a date is an ISO string. Absent when any payload is valid. */
  validate?(data: JsonObject): MaybePromise<ValidationResult>;
}

declare const EVENTS: unique symbol;

/**
 * The events that an app knows, by name.
 *
 * @typeParam Events names and payloads, for `createTracker<EventsOf<typeof catalogue>>`
 */
export interface EventCatalogue<Events = unknown> {
  readonly names: readonly string[];
  get(name: string): EventDefinition | undefined;
  /** Carries the types; never there. */
  readonly [EVENTS]?: Events;
}

/** The names and payloads of a catalogue, as `createTracker` and `TrackedEvents` take them. */
export type EventsOf<Catalogue> = Catalogue extends EventCatalogue<infer Events> ? Events : never;
