import { writeText } from './write-text.js';

/** Before each event's JSON: its length, when it was accepted, its number. */
const ACCEPTED_AT = 4;
const SEQ = 12;
const HEAD_BYTES = 20;

/**
 * Waiting events as bytes, one after the other, beside the heap: no collection has to look at them. They are written at
 * the end and read from the start.
 */
export class EventChunk {
  /** Somebody may refer to its bytes. */
  leased = false;
  private readonly view: DataView;
  private start = 0;
  private end = 0;

  constructor(readonly json: Buffer) {
    this.view = new DataView(json.buffer, json.byteOffset, json.byteLength);
  }

  /** How large a chunk for such an event has to be. */
  static sizeFor(bytes: number): number {
    return HEAD_BYTES + bytes;
  }

  get isEmpty(): boolean {
    return this.start === this.end;
  }

  /** Of the first event: the size of its JSON, where that is, when it was accepted, its number. */
  get bytes(): number {
    return this.view.getUint32(this.start);
  }

  get jsonAt(): number {
    return this.start + HEAD_BYTES;
  }

  get acceptedAt(): number {
    return this.view.getFloat64(this.start + ACCEPTED_AT);
  }

  get seq(): number {
    return this.view.getFloat64(this.start + SEQ);
  }

  fits(bytes: number): boolean {
    return this.end + HEAD_BYTES + bytes <= this.json.length;
  }

  /** @param bytes the size of the text in UTF-8 */
  push(text: string, bytes: number, acceptedAt: number, seq: number): void {
    const { view, end } = this;
    view.setUint32(end, bytes);
    view.setFloat64(end + ACCEPTED_AT, acceptedAt);
    view.setFloat64(end + SEQ, seq);
    const at = end + HEAD_BYTES;
    writeText(this.json, text, at, bytes);
    this.end = at + bytes;
  }

  /** Lets the first event go. */
  shift(): void {
    this.start += HEAD_BYTES + this.bytes;
  }

  /** Forgets everything that was in it. */
  clear(): void {
    this.start = 0;
    this.end = 0;
  }
}
