import { TrackingError } from './errors.js';
import type { TrackingEvent } from './event.js';
import { TrackedEvent } from './event.js';
import { EventHeads, sized } from './event-head.js';
import { FrameMemo } from './frame-memo.js';
import type { UuidSource } from './ids.js';
import type { JsonObject, JsonText } from './json.js';
import { EMPTY_OBJECT } from './json.js';
import { JsonWriter } from './json-writer.js';
import type { Limits } from './limits.js';
import type { Reporter } from './report.js';
import { ResolvedContext } from './resolved-context.js';
import { plainCopy } from './plain.js';
import { describeValue } from './describe.js';
import { snapshot, TOO_LARGE } from './snapshot.js';
import type { IsoClock } from './timestamps.js';
import { parseTimestamp } from './timestamps.js';

/** What an event is called when it was given no name. */
const UNKNOWN = 'unknown';
const MAX_ID_LENGTH = 200;
const NO_PAYLOAD: JsonText = { text: '{}', bytes: 2 };

/** What can be said about one event besides its name and payload. */
export interface EmitOptions {
  /** The event's own id, 1 to 200 characters; default: a new UUIDv7. */
  readonly id?: string;
  /** When it happened: a `Date`, epoch milliseconds or an ISO text; default: now. */
  readonly timestamp?: Date | number | string;
  /** A last frame for this event alone, stronger than every other. */
  readonly context?: object;
}

/** An event, or why there is none. */
export type Birth = TrackedEvent | 'too_large' | 'unserialisable';

/** What an event is written from. */
interface Draft {
  readonly id: string;
  /** Whether the id was made here. */
  readonly isOurs: boolean;
  readonly name: string;
  readonly timestamp: string;
  readonly context: ResolvedContext;
}

/** Makes events. The payload is read once, here; afterwards nobody can change it. */
export class EventFactory {
  private writer: JsonWriter | undefined;
  private readonly heads = new EventHeads();
  private readonly frames = new FrameMemo();

  constructor(
    private readonly limits: Limits,
    private readonly ids: UuidSource,
    private readonly clock: IsoClock,
    private readonly reporter: Reporter,
    private readonly strict: boolean,
  ) {}

  /**
   * An event of the present.
   *
   * @throws TrackingError in strict mode: an empty name, a payload that is not JSON
   */
  create(name: string, data: unknown, options: EmitOptions | undefined, context: ResolvedContext): Birth {
    const now = this.clock.now();
    const givenId = this.idOf(options?.id);
    const id = givenId ?? this.ids.next(now);
    const ms = this.timestampOf(options?.timestamp) ?? now;
    return this.make(
      {
        id,
        isOurs: givenId === undefined,
        name: this.nameOf(name),
        timestamp: this.clock.format(ms),
        context,
      },
      data,
    );
  }

  /** What a processor answered, cleaned like anything emitted. Fields that it left out stay as they were. */
  adopt(answer: Partial<TrackingEvent>, previous: TrackedEvent): Birth {
    if (answer instanceof TrackedEvent) {
      return answer;
    }
    const fields = { ...previous.toJSON(), ...withoutUndefined(answer) };
    const context =
      fields.context === previous.context
        ? previous.context
        : this.clean(fields.context, 'the context of a processed event');
    const id = this.idOf(fields.id) ?? previous.id;
    const draft = {
      id,
      isOurs: false,
      name: this.nameOf(fields.name),
      timestamp: this.clock.format(this.timestampOf(fields.timestamp) ?? Date.parse(previous.timestamp)),
      context: new ResolvedContext(context),
    };
    return fields.data === previous.data
      ? this.make(draft, undefined, previous)
      : this.make(draft, fields.data);
  }

  /** The same event in another context. */
  inContext(event: TrackedEvent, context: JsonObject): Birth {
    const { id, name, timestamp } = event;
    return this.make(
      {
        id,
        isOurs: false,
        name,
        timestamp,
        context: new ResolvedContext(context),
      },
      undefined,
      event,
    );
  }

  /** Frozen JSON of what is entered as a context; what had to be changed is reported. */
  frame(name: string, data: unknown): JsonObject {
    try {
      const known = this.frames.recall(name, data);
      if (known !== undefined) {
        return known;
      }
    } catch {
      // `clean` says what is wrong with it.
    }
    const frame = plainCopy(data, this.limits);
    if (frame === undefined) {
      return this.clean(data, () => `context ${describeValue(name)}`);
    }
    this.frames.keep(name, frame);
    return frame;
  }

  /**
   * Frozen JSON of a context's data; what had to be changed is reported.
   *
   * @param what names it in a report
   */
  clean(data: unknown, what: string | (() => string)): JsonObject {
    const copy = plainCopy(data, this.limits);
    if (copy !== undefined) {
      return copy;
    }
    try {
      const { value, changes } = snapshot(data, this.limits);
      if (data === null || changes.length > 0) {
        this.reporter.report({
          code: 'context_changed',
          message: `${shown(what)} was changed to be JSON: ${changes.join('; ') || 'expected an object, got null'}`,
        });
      }
      return value;
    } catch (error) {
      this.reporter.report({
        code: error === TOO_LARGE ? 'too_large' : 'context_changed',
        message: `${shown(what)} was left out: it ${error === TOO_LARGE ? `exceeds ${this.limits.maxBytes} bytes` : 'cannot be read'}`,
        ...(error === TOO_LARGE ? {} : { error }),
      });
      return EMPTY_OBJECT;
    }
  }

  /** @param keeps an event whose payload is taken over instead of `data` */
  private make(draft: Draft, data: unknown, keeps?: TrackedEvent): Birth {
    const writer = this.takeWriter();
    try {
      const payload =
        keeps === undefined ? this.payload(data, draft.name, writer) : sized(TrackedEvent.payloadOf(keeps));
      return this.compose(draft, payload, writer);
    } catch (error) {
      if (error instanceof TrackingError) {
        throw error;
      }
      return this.refused(draft.name, error);
    } finally {
      this.writer = writer;
    }
  }

  /** A getter in a payload may emit events: those get a writer of their own. */
  private takeWriter(): JsonWriter {
    const writer = this.writer ?? new JsonWriter(this.limits.maxDepth);
    this.writer = undefined;
    return writer;
  }

  private payload(data: unknown, name: string, writer: JsonWriter): JsonText {
    if (data === undefined || data === null) {
      return NO_PAYLOAD;
    }
    try {
      return writer.write(data);
    } catch {
      return this.changedPayload(data, name);
    }
  }

  /** The slow way: the payload is not plain JSON, or larger than usual. */
  private changedPayload(data: unknown, name: string): JsonText {
    const { value, changes } = snapshot(data, this.limits);
    if (changes.length > 0) {
      this.payloadChanged(name, changes);
    }
    return sized(JSON.stringify(value));
  }

  private compose(
    { id, isOurs, name, timestamp, context }: Draft,
    payload: JsonText,
    writer: JsonWriter,
  ): TrackedEvent {
    const head = this.heads.head(id, isOurs, name, timestamp);
    const tail = context.tail(writer);
    const bytes = head.bytes + payload.bytes + tail.bytes;
    if (bytes > this.limits.maxBytes) {
      throw TOO_LARGE;
    }
    // Concatenation copies nothing: the engine links the parts, and joins them when somebody reads the text.
    const json = `${head.text}${payload.text}${tail.text}`;
    return new TrackedEvent(id, name, timestamp, context.object, json, payload.text, bytes);
  }

  private payloadChanged(name: string, changes: readonly string[]): void {
    const message = `the payload of ${describeValue(name)} was changed to be JSON: ${changes.join('; ')}`;
    if (this.strict) {
      throw new TrackingError('payload_changed', message);
    }
    this.reporter.report({ code: 'payload_changed', message });
  }

  private refused(name: string, error: unknown): 'too_large' | 'unserialisable' {
    const shown = describeValue(name);
    if (error === TOO_LARGE) {
      this.reporter.report({
        code: 'too_large',
        message: `event ${shown} was dropped: it exceeds limits.maxBytes (${this.limits.maxBytes} bytes)`,
      });
      return 'too_large';
    }
    this.reporter.report({
      code: 'unserialisable',
      message: `event ${shown} was dropped: it cannot be made into JSON`,
      error,
    });
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
    this.reporter.report({
      code: 'invalid_name',
      message: `${message}; it is called '${UNKNOWN}'`,
    });
    return UNKNOWN;
  }

  private idOf(id: unknown): string | undefined {
    if (id === undefined) {
      return undefined;
    }
    if (typeof id === 'string' && id !== '' && id.length <= MAX_ID_LENGTH) {
      return id;
    }
    this.reporter.report({
      code: 'invalid_option',
      message: `expected the id of an event to be a string of 1 to ${MAX_ID_LENGTH} characters, got ${typeof id === 'string' ? `one of ${id.length}` : describeValue(id)}; it was ignored`,
    });
    return undefined;
  }

  private timestampOf(timestamp: unknown): number | undefined {
    if (timestamp === undefined) {
      return undefined;
    }
    const ms = parseTimestamp(timestamp);
    if (ms === undefined) {
      this.reporter.report({
        code: 'invalid_option',
        message: `expected the timestamp of an event to be a Date, epoch milliseconds or an ISO text, got ${describeValue(timestamp)}; it was ignored`,
      });
    }
    return ms;
  }
}

function withoutUndefined(fields: Partial<TrackingEvent>): object {
  return Object.fromEntries(
    Object.entries(fields as Record<string, unknown>).filter(([, value]) => value !== undefined),
  );
}

function shown(what: string | (() => string)): string {
  return typeof what === 'string' ? what : what();
}
