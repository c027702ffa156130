import type { TrackingEvent } from './event.js';

export type MaybePromise<T> = T | Promise<T>;

/** Why the library itself drops an event. An app's own reasons to `drop` are free. */
export type DropReason =
  | 'filtered'
  | 'consent'
  | 'sampled'
  | 'invalid'
  | 'no_transformer'
  | 'filter_failed'
  | 'too_large'
  | 'unserialisable'
  | 'overflow'
  | 'timeout'
  | 'closed'
  | 'failed'
  | 'expired'
  | 'outcome';

const BRAND = Symbol.for('nestjs-tracking.dropped');

/** What a processor returns to end an event's way. Made by `drop`. */
export class Dropped {
  readonly [BRAND] = true;

  constructor(readonly reason: string) {
    Object.freeze(this);
  }
}

/** Ends the event's way in this branch of the topology, counted under the reason. Returned, not thrown. */
export function drop(reason: string): Dropped {
  return new Dropped(typeof reason === 'string' && reason !== '' ? reason : 'filtered');
}

export function isDropped(value: unknown): value is Dropped {
  return typeof value === 'object' && value !== null && BRAND in value;
}

/** `undefined` leaves the event as it is, an array makes several of it, an empty one drops it. */
export type ProcessorResult = TrackingEvent | readonly TrackingEvent[] | Dropped | undefined;

/**
 * Looks at, changes, multiplies or drops events. One that throws, rejects or answers nonsense is reported and the event
 * goes on unchanged, unless it is marked as a filter: then the event is dropped (`filter_failed`).
 */
export type Processor = ((
  event: TrackingEvent,
  // eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- "returns nothing" is the usual processor
) => MaybePromise<ProcessorResult | void>) & { readonly failClosed?: boolean };

/** A processor with state, or one that Nest injects into. */
export interface ProcessorObject {
  /** True for filters: what they cannot decide is dropped. */
  readonly failClosed?: boolean;
  process(
    event: TrackingEvent,
    // eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- see Processor
  ): MaybePromise<ProcessorResult | void>;
}

/** A class, created by Nest's injector or, without Nest, by `new` without arguments. */
export type Type<T> = new (...args: never[]) => T;

export type ProcessorSpec = Processor | ProcessorObject | Type<ProcessorObject>;

/** Marks a processor as a filter: when it fails or takes too long, the event is dropped instead of let through. */
export function filter(process: Processor): Processor {
  return Object.assign((event: TrackingEvent) => process(event), {
    failClosed: true,
  });
}
