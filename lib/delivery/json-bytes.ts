import type { TrackingEvent } from '../core/event.js';
import { storedEvent } from '../core/event.js';
import type { LeasedEvent } from './backlog.js';

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

  /** Whether it can be read at all, as far as its id tells; no text is made where that can be seen in the bytes. */
  get hasId(): boolean {
    try {
      return this.idEnd() !== undefined || typeof this.event.id === 'string';
    } catch {
      return false;
    }
  }

  /** Whether its id comes after that of the other, as far as that shows without making text of them. */
  follows(other: LeasedEvent): boolean {
    if (!(other instanceof JsonBytes && this.startsAsUsual())) {
      return false;
    }
    const end = this.at + this.bytes;
    for (let at = this.at + HEAD.length, before = other.at + HEAD.length; at < end; at++, before++) {
      const byte = this.json[at] as number;
      const otherByte = other.json[before] as number;
      if (byte === BACKSLASH || otherByte === BACKSLASH) {
        return false;
      }
      if (byte !== otherByte) {
        return otherByte < byte && other.startsAsUsual();
      }
      if (byte === QUOTE) {
        return false;
      }
    }
    return false;
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
    const end = this.idEnd();
    return end === undefined ? undefined : (this.json as DirectBuffer).utf8Slice(this.at + HEAD.length, end);
  }

  /** Where its id ends, unless that cannot be told without reading the rest. */
  private idEnd(): number | undefined {
    const { json, at } = this;
    if (!this.startsAsUsual()) {
      return undefined;
    }
    for (let end = at + HEAD.length; end < at + this.bytes; end++) {
      const byte = json[end];
      if (byte === QUOTE) {
        return end;
      }
      if (byte === BACKSLASH) {
        return undefined;
      }
    }
    return undefined;
  }

  private startsAsUsual(): boolean {
    for (let i = 0; i < HEAD.length; i++) {
      if (this.json[this.at + i] !== HEAD[i]) {
        return false;
      }
    }
    return true;
  }
}
