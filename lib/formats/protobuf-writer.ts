/*
 * Writes protobuf's wire format: the few types that our messages have.
 * https://protobuf.dev/programming-guides/encoding
 *
 * Fields are written in the order of the calls, so that the same calls give the same bytes.
 */

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIRST_BYTES = 256;
/** A varint of 64 bits takes no more. */
const VARINT_MAX = 10;
/** Below, zig-zag and division are exact in a double. */
const SMALL = 2 ** 51;
const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

export class ProtobufWriter {
  private buffer = Buffer.allocUnsafe(FIRST_BYTES);
  private length = 0;

  /**
   * A signed integer of 64 bits, zig-zag.
   *
   * @throws RangeError when it is no integer, or too large
   */
  sint64(field: number, value: number | bigint): this {
    this.tag(field, VARINT);
    if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < SMALL) {
      this.varint(value < 0 ? -2 * value - 1 : 2 * value);
    } else {
      this.largeVarint(zigZag(value));
    }
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.head(field, value.length);
    this.buffer.set(value, this.length);
    this.length += value.length;
    return this;
  }

  /** UTF-8; half a surrogate pair becomes U+FFFD, as everywhere in Node. */
  string(field: number, value: string): this {
    const bytes = Buffer.byteLength(value);
    this.head(field, bytes);
    this.length += this.buffer.write(value, this.length, 'utf8');
    return this;
  }

  message(field: number, value: ProtobufWriter): this {
    return this.bytes(field, value.finish());
  }

  /** What was written. Writing on does not change it. */
  finish(): Uint8Array {
    return new Uint8Array(this.buffer.subarray(0, this.length));
  }

  /** The head of a field of so many bytes, and room for them. */
  private head(field: number, bytes: number): void {
    this.tag(field, LENGTH_DELIMITED);
    this.varint(bytes);
    this.reserve(bytes);
  }

  private tag(field: number, type: number): void {
    this.varint(field * 8 + type);
  }

  private varint(value: number): void {
    this.reserve(VARINT_MAX);
    let rest = value;
    while (rest >= 0x80) {
      this.buffer[this.length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.buffer[this.length++] = rest;
  }

  private largeVarint(value: bigint): void {
    this.reserve(VARINT_MAX);
    let rest = value;
    while (rest >= 0x80n) {
      this.buffer[this.length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.buffer[this.length++] = Number(rest);
  }

  private reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed > this.buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.buffer.length));
      this.buffer.copy(larger, 0, 0, this.length);
      this.buffer = larger;
    }
  }
}

function zigZag(value: number | bigint): bigint {
  // Throws a RangeError itself for what is no integer.
  const exact = BigInt(value);
  if (exact < MIN_INT64 || exact > MAX_INT64) {
    throw new RangeError(`expected an integer of 64 bits, got ${exact}`);
  }
  return exact < 0n ? -2n * exact - 1n : 2n * exact;
}
