import type { Backend } from '../core/backend.js';
import type { TrackingEvent } from '../core/event.js';
import { tally } from './describe-events.js';
import { atLeastOne, DEFAULT_WAIT_MS, Waiters } from './waiters.js';

/** A test that keeps more has a loop. */
const MAX_EVENTS = 1_000_000;

export interface MemoryBackendOptions {
  /** Longest wait of `waitFor`, in real milliseconds whatever clock the tracker has. Default: 2,000. */
  readonly timeoutMs?: number;
}

/** A backend that keeps its events for a test to look at. */
export interface MemoryBackend extends Backend {
  /** What came so far, in order; always the same array. */
  readonly events: readonly TrackingEvent[];
  /** Forgets the events. */
  clear(): void;
  /**
   * Resolves with the first `count` events of a name (default 1) as soon as they are there, at once if they are.
   * Rejects with a TrackingError `timeout` that names what came instead.
   */
  waitFor(name: string, count?: number): Promise<TrackingEvent[]>;
}

/**
 * A backend for tests.
 *
 * @example
 * const backend = memoryBackend();
 * const tracker = createTracker({ backends: { memory: backend } });
 * tracker.emit('order.created', { id: 7 });
 * const [event] = await backend.waitFor('order.created');
 */
export function memoryBackend(options: MemoryBackendOptions = {}): MemoryBackend {
  const events: TrackingEvent[] = [];
  const byName = new Map<string, TrackingEvent[]>();
  const waiters = new Waiters(options.timeoutMs ?? DEFAULT_WAIT_MS);
  return {
    events,
    send: (event) => {
      if (events.length === MAX_EVENTS) {
        throw new RangeError(`a memory backend keeps at most ${MAX_EVENTS} events; clear() forgets them`);
      }
      events.push(event);
      const named = byName.get(event.name);
      if (named === undefined) {
        byName.set(event.name, [event]);
      } else {
        named.push(event);
      }
      waiters.arrived();
    },
    clear: () => {
      events.length = 0;
      byName.clear();
    },
    waitFor: async (name, count = 1) => {
      atLeastOne(count);
      return waiters.until(
        () => firstOf(byName.get(name) ?? [], count),
        () => `expected ${count} of ${JSON.stringify(name)}, tracked: ${tally(events)}`,
      );
    },
  };
}

function firstOf(events: readonly TrackingEvent[], count: number): TrackingEvent[] | undefined {
  return events.length < count ? undefined : events.slice(0, count);
}
