import { appendFileSync, createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { CollectedEvent } from './collected-event.js';
import { readEvent } from './collected-event.js';

/** Nothing comes again after so many others. */
const REMEMBERED = 100_000;

/** A file with one JSON line per event, each event once. It outlives the collector. */
export class CollectedEvents {
  /** The oldest first. */
  private readonly ids = new Set<string>();
  /** Ends a line that was cut off, by a full disk as a rule: its event was not answered for, and comes again. */
  private repair = '';

  private constructor(private readonly file: string) {}

  /** Reads what was collected before, if anything was. */
  static async open(file: string): Promise<CollectedEvents> {
    const events = new CollectedEvents(file);
    if (existsSync(file)) {
      for await (const line of createInterface(createReadStream(file))) {
        const event = readEvent(line);
        events.repair = event === undefined ? '\n' : '';
        if (event !== undefined) {
          events.remember(event);
        }
      }
    }
    return events;
  }

  /**
   * Adds those that have not come before, and answers them. They are written when it returns: what counts as delivered
   * outlives `kill -9`.
   */
  add(batch: readonly CollectedEvent[]): readonly CollectedEvent[] {
    const added = batch.filter(({ id }) => !this.ids.has(id));
    const lines = added.map((event) => `${JSON.stringify(event)}\n`);
    const text = `${this.repair}${lines.join('')}`;
    this.repair = '\n';
    // What donors tell is for this user alone.
    appendFileSync(this.file, text, { mode: 0o600 });
    this.repair = '';
    for (const event of added) {
      this.remember(event);
    }
    return added;
  }

  private remember({ id }: CollectedEvent): void {
    this.ids.add(id);
    if (this.ids.size > REMEMBERED) {
      const [oldest = ''] = this.ids;
      this.ids.delete(oldest);
    }
  }
}
