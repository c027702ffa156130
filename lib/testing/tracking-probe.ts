import type { TrackingEvent } from '../core/event.js';
import { memoryBackend } from './memory-backend.js';

/** What a test sees of the events of an app. Injected: `moduleRef.get(TrackingProbe)`. */
export class TrackingProbe {
  /** Where the events come from: a backend of the tracker under test. */
  readonly backend = memoryBackend();

  /** What came so far, in order. */
  get events(): readonly TrackingEvent[] {
    return this.backend.events;
  }

  named(name: string): readonly TrackingEvent[] {
    return this.events.filter((event) => event.name === name);
  }

  /**
   * Resolves with the first event of a name as soon as it is there.
   * Rejects after 2 s with a TrackingError `timeout` that names what came instead.
   */
  async waitFor(name: string): Promise<TrackingEvent> {
    const [event] = await this.backend.waitFor(name);
    return event as TrackingEvent;
  }

  /** Forgets the events. */
  clear(): void {
    this.backend.clear();
  }
}
