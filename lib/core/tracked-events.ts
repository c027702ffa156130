import type { JsonObject, JsonPrimitive } from './json.js';

/**
 * The names and payloads of an app's events, declared once by augmenting this interface; every `Tracker` without a type
 * parameter then knows them, and so do processors, backends and rules. Empty, it leaves names and payloads free.
 *
 * @example
 * declare module 'nestjs-tracking' {
 *   interface TrackedEvents {
 *     'donation.received': { amount: number; currency: string };
 *   }
 * }
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- apps fill it
export interface TrackedEvents {}

/** Every name while an app declares no events, else the declared ones. */
export type EventName<Events = TrackedEvents> = [keyof Events] extends [never]
  ? string
  : keyof Events & string;

/** The payload of an event as it is emitted: anything while it is not declared. */
export type EventPayload<Events, Name> = Name extends keyof Events ? Events[Name] : object | null | undefined;

/** The payload of an event as processors and backends see it: JSON. */
export type EventData<Name> = Name extends keyof TrackedEvents
  ? JsonOf<NonNullable<TrackedEvents[Name]>>
  : JsonObject;

/** What a value is once it is JSON. */
type JsonOf<T> = T extends JsonPrimitive | undefined
  ? T
  : T extends Date | bigint
    ? string
    : T extends readonly (infer Item)[]
      ? readonly JsonOf<Item>[]
      : T extends object
        ? { readonly [Key in keyof T]: JsonOf<T[Key]> }
        : never;

/** What can be said about one event besides its name and payload. */
export interface EmitOptions {
  /** The event's own id, 1 to 200 characters; default: a new UUIDv7. */
  readonly id?: string;
  /** When it happened: a `Date`, epoch milliseconds or an ISO string; default: now. */
  readonly timestamp?: Date | number | string;
  /** A last frame for this event alone, stronger than every other. */
  readonly context?: object;
}

/** What follows the name: the payload may be left out where it may be empty. */
export type EmitArguments<Events, Name> =
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- asks whether every property is optional
  {} extends EventPayload<Events, Name>
    ? [data?: EventPayload<Events, Name> | null, options?: EmitOptions]
    : undefined extends EventPayload<Events, Name>
      ? [data?: EventPayload<Events, Name> | null, options?: EmitOptions]
      : [data: EventPayload<Events, Name>, options?: EmitOptions];
