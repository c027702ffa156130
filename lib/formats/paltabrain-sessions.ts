import type { TrackingEvent } from '../core/event.js';
import { eventInContext } from '../core/event.js';
import { isRecord } from '../core/options.js';

/*
 * The numbers of a session's events.
 *
 * Invariants
 * - An event gets its number in the moment in which it is stored, and keeps it: the number is stored in the event. So
 *   numbers stay the same over retries and restarts.
 * - Numbers have no gaps, whatever is sent when: one whose event could not be stored after all is given again.
 * - The instance that counted is stored beside the number: another process that delivers the event must not sign it
 *   as its own, since both have a number 1 of the same session.
 * - The sessions counted are bounded; one that is forgotten starts again at 1.
 */

/** The key of the context under which the number is stored. It is not sent as context. */
export const SESSION_KEY = '_paltabrain';

/** Most sessions that are counted at a time; beyond, the one that was quiet for longest is forgotten. */
export const MAX_SESSIONS = 10_000;

export interface SessionNumber {
  readonly instanceId?: string | undefined;
  /** Its place among the session's events, from 1. */
  readonly sequence?: number | undefined;
}

export class SessionNumbers {
  private readonly last = new Map<number, number>();

  constructor(private readonly instanceId: string) {}

  /** Numbers an event of a session. Others stay as they are. */
  number(event: TrackingEvent): TrackingEvent {
    const sessionId = sessionIdOf(event);
    if (sessionId === undefined) {
      return event;
    }
    const sequence = this.lastOf(sessionId) + 1;
    const numbered = eventInContext(event, {
      ...event.context,
      [SESSION_KEY]: { instanceId: this.instanceId, sequence },
    });
    this.keep(sessionId, sequence);
    return numbered;
  }

  /** Their numbers, which are the highest of their sessions, are free again. */
  takeBack(events: readonly TrackingEvent[]): void {
    for (const event of events) {
      const sessionId = sessionIdOf(event);
      const { sequence = Infinity } = storedNumber(event);
      if (sessionId !== undefined && this.lastOf(sessionId) >= sequence) {
        this.last.set(sessionId, sequence - 1);
      }
    }
  }

  private lastOf(sessionId: number): number {
    return this.last.get(sessionId) ?? 0;
  }

  /** The map is in the order of the latest use. */
  private keep(sessionId: number, sequence: number): void {
    this.last.delete(sessionId);
    this.last.set(sessionId, sequence);
    if (this.last.size > MAX_SESSIONS) {
      const [quietest] = this.last.keys();
      this.last.delete(quietest as number);
    }
  }
}

/** The format has room for integers only; other sessions go without. */
export function sessionIdOf({ context }: TrackingEvent): number | undefined {
  const session = context['session'];
  const id = isRecord(session) ? session['id'] : undefined;
  return Number.isSafeInteger(id) ? (id as number) : undefined;
}

/** What was stored in an event. */
export function storedNumber({ context }: TrackingEvent): SessionNumber {
  const stored = context[SESSION_KEY];
  if (!isRecord(stored)) {
    return {};
  }
  const { instanceId, sequence } = stored as Record<string, unknown>;
  return {
    instanceId: typeof instanceId === 'string' ? instanceId : undefined,
    sequence: Number.isSafeInteger(sequence) ? (sequence as number) : undefined,
  };
}
