import type { TrackingEvent } from '../core/event/event.js';
import { storedEvent } from '../core/event/event.js';

/** How the JSON of events begins. */
const HEAD = Buffer.from('{"id":"');
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** What `Buffer.toString` calls, without the time that it takes to find out what is meant. */
interface DirectBuffer extends Buffer {
  utf8Slice(start: number, end: number): string;
}

/** An event as the bytes of its JSON; text and event are made only when somebody asks. */
export class JsonBytes {
  private madeEvent: TrackingEvent | undefined = undefined;
  private madeId: string | undefined = undefined;

  constructor(
    private readonly json: Buffer,
    private readonly at: number,
    readonly bytes: number,
  ) {}

  get event(): TrackingEvent {
    return (this.madeEvent ??= storedEvent(
      this.json.toString('utf8', this.at, this.at + this.bytes),
      this.bytes,
    ));
  }

  get id(): string {
    return (this.madeId ??= this.readId() ?? this.event.id);
  }

  /** Makes the event now: its bytes are going to be written over. */
  detach(): void {
    this.madeEvent = this.event;
  }

  writeJson(target: Buffer, at: number): void {
    this.json.copy(target, at, this.at, this.at + this.bytes);
  }

  /** Without reading the rest, where that can be done. */
  private readId(): string | undefined {
    const { json, at } = this;
    for (let i = 0; i < HEAD.length; i++) {
      if (json[at + i] !== HEAD[i]) {
        return undefined;
      }
    }
    const start = at + HEAD.length;
    for (let end = start; end < at + this.bytes; end++) {
      const byte = json[end];
      if (byte === QUOTE) {
        return (json as DirectBuffer).utf8Slice(start, end);
      }
      if (byte === BACKSLASH) {
        return undefined;
      }
    }
    return undefined;
  }
}
