import type { TrackedEvent } from './event.js';
import type { JsonObject } from './json.js';
import type { Trace } from './outcome.js';
import type { UnderWay } from './under-way.js';
import type { DropReason } from './processor.js';

/** An event that a scope keeps back until its outcome is known. One of the two is called, once. */
export interface HeldEvent {
  readonly event: TrackedEvent;
  /** Sends it on its way, in another context if one is given. */
  release(context?: JsonObject): void;
  /** Ends its way, counted under the reason. */
  drop(reason: DropReason): void;
}

/**
 * What a scope stands for (a request, a message, a job), told by the host that opened it. All of it is called while an
 * event is emitted: it must be quick and must not throw.
 */
export interface ScopeOwner {
  /** The frames at the bottom of the scope, merged. The same object as long as nothing changed. */
  frames(): JsonObject;
  /** Keeps an event back; answers false when it does not. */
  readonly hold?: ((held: HeldEvent) => boolean) | undefined;
  /** There when the events of this scope are counted and waited for. */
  readonly accounting?: ScopeAccounting | undefined;
}

/** Follows the events of a scope until they are accepted. */
export interface ScopeAccounting {
  /** An event was handed to the topology, and this is under way then, if anything is. */
  dispatched(trace: Trace, underWay: UnderWay | undefined): void;
  /** An event was dropped before that. */
  dropped(reason: string): void;
  /** Whether `emit` waits for room like `emitAsync`. */
  readonly waitsForRoom: boolean;
}
