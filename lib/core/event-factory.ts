import type { Clock } from './clock.js';
import { describeValue } from './describe.js';
import { TrackingError } from './errors.js';
import type { EventHead, TrackingEvent } from './event.js';
import { afterId, eventBytes, eventStart, TrackedEvent, writeEvent } from './event.js';
import type { UuidSource } from './ids.js';
import { isUuid, nameUuid } from './ids.js';
import type { Limits } from './limits.js';
import { Frame, MergedContext } from './merged-context.js';
import { PlainJson } from './plain-json.js';
import type { DropReason } from './processor.js';
import type { ReportCode, Reporter } from './report.js';
import { TOO_LARGE } from './sanitize.js';
import type { EmitOptions } from './tracked-events.js';

/** What an event is called when it was given no name. */
const UNKNOWN = 'unknown';
const MAX_ID_LENGTH = 200;
/** Furthest moment that a `Date` can hold, in both directions. */
const MAX_DATE_MS = 8.64e15;
const FIELDS: readonly string[] = [
  'id',
  'name',
  'timestamp',
  'data',
  'context',
] satisfies (keyof TrackingEvent)[];
/** The namespace for names derived of an id that is not a UUID: RFC 9562 Appendix C, "OID". */
const NAMESPACE_OID = '6ba7b812-9dad-11d1-80b4-00c04fd430c8';

/** An event, or why there is none. */
export type CreateResult = TrackedEvent | 'too_large' | 'unserialisable';

/** The events that a processor made of one, and why some of them could not be. */
export interface ProcessedEvents {
  readonly events: readonly TrackedEvent[];
  readonly refused: readonly DropReason[];
}

/** Makes events. The payload is read once, here; afterwards nobody can change it. */
export class EventFactory {
  /** The current time as ISO 8601, made once a millisecond: `toISOString` costs more than the rest of an event's head. */
  private iso = '';
  private isoMs = Number.NaN;
  private lastName = '';
  private lastTimestamp = '';
  private lastAfterId = '';
  private readonly payloads: PlainJson;
  private readonly contexts: PlainJson;

  constructor(
    private readonly limits: Limits,
    private readonly ids: UuidSource,
    private readonly clock: Clock,
    private readonly reporter: Reporter,
    private readonly strict: boolean,
  ) {
    this.payloads = new PlainJson(limits);
    this.contexts = new PlainJson(limits);
  }

  /**
   * An event of the present.
   *
   * @throws TrackingError in strict mode: an empty name, a payload that is not JSON
   */
  create(
    name: unknown,
    data: unknown,
    options: EmitOptions | undefined,
    context: MergedContext,
    fromOnError: boolean,
  ): CreateResult {
    const now = this.clock.now();
    const givenId = options && this.idOf(options.id);
    const id = givenId ?? this.ids.next(now);
    const timestamp = this.format((options && this.timestampOf(options.timestamp)) ?? now);
    const head = { id, name: this.nameOf(name), timestamp };
    // Our own ids need no escaping.
    const start =
      givenId === undefined ? `{"id":"${id}",${this.afterId(head.name, timestamp)}` : eventStart(head);
    return this.write(start, head, data, context, fromOnError);
  }

  /** A new UUIDv7 of the present. */
  nextId(): string {
    return this.ids.next(this.clock.now());
  }

  /**
   * What a processor returned, an event or an array of them, cleaned like anything emitted. Fields that it left out stay
   * as they were. From the second event of an array on, a repeated id becomes a name-based UUID of parent and index, so
   * that replaying the parent gives the same children.
   *
   * @param processor its name, for reports
   * @param path of its node
   * @throws TypeError when it is neither
   */
  processed(answer: unknown, parent: TrackedEvent, processor: string, path: string): ProcessedEvents {
    const events: TrackedEvent[] = [];
    const refused: DropReason[] = [];
    if (Array.isArray(answer) && answer.length === 0) {
      return { events, refused: ['filtered'] };
    }
    const ids = new Set<string>();
    // `Array.from` shows the holes of a sparse array.
    Array.from(Array.isArray(answer) ? (answer as unknown[]) : [answer]).forEach((item, index) => {
      let made = this.adopt(item, parent, processor, path);
      if (typeof made !== 'string' && ids.has(made.id)) {
        made = this.adopt({ id: derivedId(parent.id, index) }, made, processor, path);
      }
      if (typeof made === 'string') {
        refused.push(made);
      } else {
        ids.add(made.id);
        events.push(made);
      }
    });
    return { events, refused };
  }

  /**
   * What is entered as a context; what had to be changed to be JSON is reported.
   *
   * @param what together with `name` it names the context in a report
   */
  frame(data: unknown, what: string, name = what): Frame {
    const report = (code: ReportCode, problem: string): void => {
      const shown = name === what ? what : `${what} ${describeValue(name)}`;
      this.reporter.report({ code, message: `${shown} ${problem}` });
    };
    try {
      const { json, value, changes } = this.contexts.write(data, name);
      if (data === null || changes.length > 0) {
        const problems = changes.join('; ') || 'expected an object, got null';
        report('context_changed', `was changed to be JSON: ${problems}`);
      }
      if (json.length * 3 > this.limits.maxBytes && Buffer.byteLength(json) > this.limits.maxBytes) {
        throw TOO_LARGE;
      }
      return new Frame(json, value);
    } catch {
      report('too_large', `was left out: it exceeds ${this.limits.maxBytes} bytes`);
      return new Frame('{}');
    }
  }

  /** The same event in another context, which is JSON. */
  inContext(event: TrackedEvent, context: MergedContext): CreateResult {
    const state = TrackedEvent.state(event);
    const { id, name, timestamp, data } = event;
    const head = { id, name, timestamp };
    return this.write(eventStart(head), head, data, context, state?.fromOnError ?? false, state?.payload);
  }

  private adopt(answer: unknown, previous: TrackedEvent, processor: string, path: string): CreateResult {
    if (answer === previous) {
      return previous;
    }
    if (typeof answer !== 'object' || answer === null || !FIELDS.some((field) => field in answer)) {
      throw new TypeError('expected an event, an array of events, drop(reason) or nothing');
    }
    if (answer instanceof TrackedEvent) {
      return answer;
    }
    this.checkFields(answer, previous, processor, path);
    const given = answer as Partial<Record<keyof TrackingEvent, unknown>>;
    const timestamp = this.timestampOf(given.timestamp ?? undefined);
    const head = {
      id: this.idOf(given.id ?? undefined) ?? previous.id,
      name: this.nameOf(given.name ?? previous.name),
      timestamp: timestamp === undefined ? previous.timestamp : this.format(timestamp),
    };
    const context = given.context ?? previous.context;
    const data = given.data ?? previous.data;
    const before = TrackedEvent.state(previous);
    const merged =
      context === previous.context && before?.merged !== undefined
        ? before.merged
        : new MergedContext([this.frame(context, `the context that ${processor} returned`)]);
    const known = data === previous.data ? before?.payload : undefined;
    return this.write(eventStart(head), head, data, merged, before?.fromOnError ?? false, known);
  }

  /** What a processor adds beside the five fields nobody would see; a field set to `null` stays as it was. */
  private checkFields(answer: object, event: TrackedEvent, processor: string, path: string): void {
    const problems = Object.entries(answer as Record<string, unknown>).flatMap(([key, value]) => {
      if (!FIELDS.includes(key)) {
        return [`${describeValue(key)} is not a field of an event and was left out`];
      }
      return value === null ? [`${key} was set to null`] : [];
    });
    if (problems.length > 0) {
      this.reporter.report({
        code: 'processor_failed',
        message: `${processor} returned an event with fields that cannot be: ${problems.join('; ')}`,
        path,
        event,
      });
    }
  }

  /** @param known the JSON of `data`, when it was written before */
  private write(
    start: string,
    head: EventHead,
    data: unknown,
    context: MergedContext,
    fromOnError: boolean,
    known?: string,
  ): CreateResult {
    try {
      const payload = known ?? this.payload(data, head.name);
      const event = writeEvent(start, head, payload, context, fromOnError);
      const length = start.length + payload.length + context.ending.length;
      // No UTF-16 unit takes more than three bytes in UTF-8: they need only be counted of what is large.
      if (length * 3 > this.limits.maxBytes && eventBytes(event) > this.limits.maxBytes) {
        throw TOO_LARGE;
      }
      return event;
    } catch (error) {
      if (error instanceof TrackingError) {
        throw error;
      }
      return this.refused(head.name, error);
    }
  }

  private payload(data: unknown, name: string): string {
    if (data === undefined || data === null) {
      return '{}';
    }
    const { json, changes } = this.payloads.write(data, name);
    if (changes.length > 0) {
      this.payloadChanged(name, changes);
    }
    return json;
  }

  private payloadChanged(name: string, changes: readonly string[]): void {
    const message = `the payload of ${describeValue(name)} was changed to be JSON: ${changes.join('; ')}`;
    if (this.strict) {
      throw new TrackingError('payload_changed', message);
    }
    this.reporter.report({ code: 'payload_changed', message });
  }

  private refused(name: string, error: unknown): 'too_large' | 'unserialisable' {
    const what = `event ${describeValue(name)} was dropped`;
    if (error === TOO_LARGE) {
      const message = `${what}: it exceeds limits.maxBytes (${this.limits.maxBytes} bytes)`;
      this.reporter.report({ code: 'too_large', message });
      return 'too_large';
    }
    this.reporter.report({ code: 'unserialisable', message: `${what}: it cannot be made into JSON`, error });
    return 'unserialisable';
  }

  private nameOf(name: unknown): string {
    if (typeof name === 'string' && name !== '') {
      return name;
    }
    const message = `expected the name of an event to be a non-empty string, got ${describeValue(name)}`;
    if (this.strict) {
      throw new TrackingError('invalid_name', message);
    }
    this.reporter.report({ code: 'invalid_name', message: `${message}; it is called '${UNKNOWN}'` });
    return UNKNOWN;
  }

  private idOf(id: unknown): string | undefined {
    if (id === undefined || (typeof id === 'string' && id !== '' && id.length <= MAX_ID_LENGTH)) {
      return id;
    }
    const given = typeof id === 'string' ? `one of ${id.length}` : describeValue(id);
    this.ignored('id', `a string of 1 to ${MAX_ID_LENGTH} characters`, given);
    return undefined;
  }

  private timestampOf(timestamp: unknown): number | undefined {
    if (timestamp === undefined) {
      return undefined;
    }
    const ms = epochMs(timestamp);
    if (ms === undefined) {
      this.ignored('timestamp', 'a Date, epoch milliseconds or an ISO string', describeValue(timestamp));
    }
    return ms;
  }

  private ignored(option: string, expected: string, given: string): void {
    this.reporter.report({
      code: 'invalid_option',
      message: `expected the ${option} of an event to be ${expected}, got ${given}; it was ignored`,
    });
  }

  /** The same for all events of a name in one millisecond. */
  private afterId(name: string, timestamp: string): string {
    if (name !== this.lastName || timestamp !== this.lastTimestamp) {
      this.lastName = name;
      this.lastTimestamp = timestamp;
      this.lastAfterId = afterId(name, timestamp);
    }
    return this.lastAfterId;
  }

  private format(ms: number): string {
    if (ms !== this.isoMs) {
      this.iso = new Date(ms).toISOString();
      this.isoMs = ms;
    }
    return this.iso;
  }
}

/** Epoch milliseconds of a `Date`, a number or an ISO string; `undefined` for anything else. */
function epochMs(timestamp: unknown): number | undefined {
  const ms =
    timestamp instanceof Date
      ? timestamp.getTime()
      : typeof timestamp === 'string'
        ? Date.parse(timestamp)
        : timestamp;
  return typeof ms === 'number' && Math.abs(ms) <= MAX_DATE_MS ? ms : undefined;
}

function derivedId(parentId: string, index: number): string {
  const namespace = isUuid(parentId) ? parentId : nameUuid(NAMESPACE_OID, parentId);
  return nameUuid(namespace, String(index));
}
