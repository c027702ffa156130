import type { JsonText } from './json.js';
import { isPlain, isPrototypeExtended } from './plain.js';

/*
 * Writes JSON, in half the time that `JSON.stringify` takes. It is the hot path of `emit`: checking, escaping and
 * encoding happen in the same pass over the payload, into one buffer that is used again and again.
 *
 * Invariants
 * - Whatever is answered is what `JSON.stringify` answers, or the write ends with NOT_PLAIN or NO_ROOM.
 * - A value that JSON cannot hold as it is (a function, NaN, BigInt, a cycle, a Map, …) is never written: NOT_PLAIN
 *   sends the caller to `snapshot`, which says what it changed.
 * - Every private method writes at `pos` and answers the position behind it; SLACK bytes are always free behind a
 *   position, so punctuation and numbers need no check.
 * - A writer serves one text at a time: an event that a getter emits meanwhile needs a writer of its own.
 */

class WriteStopped extends Error {}

/** Thrown, never shown: made once, so that throwing costs no stack trace. */
export const NOT_PLAIN = new WriteStopped('not plain JSON');
export const NO_ROOM = new WriteStopped('the buffer is full');

/** Most events need less; for the others there is `JSON.stringify`. */
const BUFFER_BYTES = 16 * 1024;
const SLACK = 64;
/** Above this many characters the engine's own copy is faster than our loop. */
const LOOP_MAX = 64;
/** Most bytes that one UTF-16 code unit takes in UTF-8. */
const UTF8_MAX = 3;
const NEEDS_ESCAPE = /[^ !#-[\]-~]/;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** 1 for each ASCII character that stands in a JSON string as it is. */
const PLAIN_CHARACTER = Uint8Array.from({ length: 128 }, (_, code) =>
  code >= 0x20 && code < 0x7f && code !== QUOTE && code !== BACKSLASH ? 1 : 0,
);

/** The table knows ASCII alone: what lies beyond counts as 0. */
function plain(code: number): number {
  return PLAIN_CHARACTER[code] as number;
}

export class JsonWriter {
  private readonly buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  /** Bytes that the text has more than characters. */
  private wide = 0;

  constructor(private readonly maxDepth: number) {}

  /**
   * The JSON of an object.
   *
   * @throws NOT_PLAIN when it is no object of plain JSON, NO_ROOM when it is too large
   */
  write(value: unknown): JsonText {
    if (!isPlain(value) || isPrototypeExtended()) {
      throw NOT_PLAIN;
    }
    this.wide = 0;
    const bytes = this.object(value, 1, 0);
    const encoding = this.wide === 0 ? 'latin1' : 'utf8';
    return { text: this.buffer.toString(encoding, 0, bytes), bytes };
  }

  /** At most SLACK characters of ASCII that need no escaping. */
  private literal(text: string, pos: number): number {
    const length = text.length;
    const buffer = this.buffer;
    for (let i = 0; i < length; i++) {
      buffer[pos + i] = text.charCodeAt(i);
    }
    const end = pos + length;
    this.reserve(end);
    return end;
  }

  private string(text: string, pos: number): number {
    const length = text.length;
    if (length > LOOP_MAX) {
      return this.longString(text, pos);
    }
    this.reserve(pos + length);
    const buffer = this.buffer;
    buffer[pos] = QUOTE;
    const first = pos + 1;
    let i = 0;
    // Four characters a turn: looking at them costs more than writing them.
    for (; i + 4 <= length; i += 4) {
      const a = text.charCodeAt(i);
      const b = text.charCodeAt(i + 1);
      const c = text.charCodeAt(i + 2);
      const d = text.charCodeAt(i + 3);
      if ((plain(a) & plain(b) & plain(c) & plain(d)) !== 1) {
        return this.escaped(text, pos);
      }
      buffer[first + i] = a;
      buffer[first + i + 1] = b;
      buffer[first + i + 2] = c;
      buffer[first + i + 3] = d;
    }
    for (; i < length; i++) {
      const code = text.charCodeAt(i);
      if (plain(code) !== 1) {
        return this.escaped(text, pos);
      }
      buffer[first + i] = code;
    }
    buffer[first + length] = QUOTE;
    return first + length + 1;
  }

  private value(value: unknown, depth: number, pos: number): number {
    switch (typeof value) {
      case 'string':
        return this.string(value, pos);
      case 'number':
        if (value - value !== 0) {
          throw NOT_PLAIN;
        }
        return this.literal(String(value), pos);
      case 'boolean':
        return this.literal(value ? 'true' : 'false', pos);
      case 'object':
        return value === null ? this.literal('null', pos) : this.container(value, depth + 1, pos);
      default:
        throw NOT_PLAIN;
    }
  }

  private container(value: object, depth: number, pos: number): number {
    if (depth > this.maxDepth) {
      throw NOT_PLAIN;
    }
    if (Array.isArray(value)) {
      return this.array(value, depth, pos);
    }
    if (isPlain(value)) {
      return this.object(value, depth, pos);
    }
    if (value instanceof Date && Number.isFinite(value.getTime())) {
      return this.string(value.toISOString(), pos);
    }
    throw NOT_PLAIN;
  }

  private object(value: Record<string, unknown>, depth: number, pos: number): number {
    const buffer = this.buffer;
    let at = pos;
    let separator = OPEN_OBJECT;
    for (const key in value) {
      const child = value[key];
      if (child === undefined) {
        continue;
      }
      if (key === '__proto__') {
        throw NOT_PLAIN;
      }
      buffer[at] = separator;
      separator = COMMA;
      at = this.string(key, at + 1);
      buffer[at] = COLON;
      at = this.value(child, depth, at + 1);
    }
    if (separator === OPEN_OBJECT) {
      buffer[at++] = OPEN_OBJECT;
    }
    buffer[at++] = CLOSE_OBJECT;
    this.reserve(at);
    return at;
  }

  private array(value: readonly unknown[], depth: number, pos: number): number {
    const buffer = this.buffer;
    let at = pos;
    buffer[at++] = OPEN_ARRAY;
    for (let i = 0; i < value.length; i++) {
      if (i > 0) {
        buffer[at++] = COMMA;
      }
      at = this.value(value[i], depth, at);
    }
    buffer[at++] = CLOSE_ARRAY;
    this.reserve(at);
    return at;
  }

  private longString(text: string, pos: number): number {
    const length = text.length;
    this.reserve(pos + length);
    if (NEEDS_ESCAPE.test(text)) {
      return this.escaped(text, pos);
    }
    this.buffer[pos] = QUOTE;
    this.buffer.write(text, pos + 1, 'latin1');
    this.buffer[pos + 1 + length] = QUOTE;
    return pos + length + 2;
  }

  /** A string with characters of which the loop knows nothing. */
  private escaped(text: string, pos: number): number {
    const json = JSON.stringify(text);
    this.reserve(pos + json.length * UTF8_MAX);
    const written = this.buffer.write(json, pos, 'utf8');
    this.wide += written - json.length;
    return pos + written;
  }

  private reserve(end: number): void {
    if (end + SLACK > this.buffer.length) {
      throw NO_ROOM;
    }
  }
}

/** The JSON of an object that holds nothing but JSON, of any size. */
export function jsonText(value: object, writer: JsonWriter): JsonText {
  try {
    return writer.write(value);
  } catch {
    const text = JSON.stringify(value);
    return { text, bytes: Buffer.byteLength(text) };
  }
}
