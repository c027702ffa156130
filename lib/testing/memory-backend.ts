import type { Backend } from '../core/backend.js';
import type { TrackingEvent } from '../core/event.js';
import { Waiters } from './waiting.js';

/** A test that keeps more has an endless loop. */
const MAX_EVENTS = 1_000_000;
const MAX_NAMES_SHOWN = 20;

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

/** A backend for tests: `createTracker({ backends: { memory: memoryBackend() } })`. */
export function memoryBackend(options: MemoryBackendOptions = {}): MemoryBackend {
  const events: TrackingEvent[] = [];
  const byName = new Map<string, TrackingEvent[]>();
  const waiters = new Waiters(options.timeoutMs);
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
      waiters.notify();
    },
    clear: () => {
      events.length = 0;
      byName.clear();
    },
    waitFor: (name, count = 1) => {
      const expected = `expected ${count} of ${JSON.stringify(name)}`;
      return waiters.first(
        count,
        () => byName.get(name) ?? [],
        () => `${expected}, tracked: ${tally(events)}`,
      );
    },
  };
}

/** How often each name came, in the order in which they came first: `order.created ×2, order.paid`. */
export function tally(events: readonly TrackingEvent[]): string {
  const counts = new Map<string, number>();
  for (const { name } of events) {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const shown = Array.from(counts, ([name, count]) => (count === 1 ? name : `${name} ×${count}`));
  const more = shown.splice(MAX_NAMES_SHOWN).length;
  return `${shown.join(', ') || 'nothing'}${more === 0 ? '' : ` and ${more} more names`}`;
}
