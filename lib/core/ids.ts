import { createHash, randomFillSync } from 'node:crypto';

const UUID_LENGTH = 36;
const DASH = 0x2d;
const DIGITS = Buffer.from('0123456789abcdef', 'latin1');
const POOL_BYTES = 4096;
const RANDOM_BYTES = 8;
const COUNTER_END = 1 << 12;
/** The first millisecond that has no room: in the year 10889. */
const END_MS = 2 ** 48;
/** Where the digits of the counter and of the random part stand. */
const COUNTER_AT = 15;
const RANDOM_AT = [19, 21, 24, 26, 28, 30, 32, 34] as const;

/** Fills bytes with randomness. */
export type RandomFill = (bytes: Uint8Array) => void;

const cryptoFill: RandomFill = (bytes) => {
  randomFillSync(bytes);
};

/**
 * Makes UUIDs of version 7 (RFC 9562 §5.7) that ascend: 48 bits of milliseconds, 12 bits of a counter that starts at a
 * random place in each millisecond (§6.2, method 1), 62 random bits. A clock that goes back, and a counter that runs
 * over, borrow from the next millisecond; a clock that shows no time at all does not harm the order.
 */
export class UuidSource {
  private lastMs = 0;
  private counter = 0;
  /** The id in the making; dashes, version and milliseconds stay from one to the next. */
  private readonly text = Buffer.alloc(UUID_LENGTH, DASH);
  private readonly pool = new Uint8Array(POOL_BYTES);
  private used = POOL_BYTES;

  constructor(private readonly fill: RandomFill = cryptoFill) {
    this.startMillisecond(0);
  }

  /** The next id for an event of this moment (milliseconds since the epoch). */
  next(nowMs: number): string {
    if (nowMs >= this.lastMs + 1 && nowMs < END_MS) {
      this.startMillisecond(Math.trunc(nowMs));
    } else if (++this.counter === COUNTER_END) {
      this.startMillisecond(this.lastMs + 1);
    }
    const { text, pool, counter } = this;
    text[COUNTER_AT] = digit(counter >> 8);
    this.writeByte(COUNTER_AT + 1, counter);
    let at = this.random();
    this.writeByte(RANDOM_AT[0], ((pool[at] as number) & 0x3f) | 0x80);
    for (let i = 1; i < RANDOM_BYTES; i++) {
      this.writeByte(RANDOM_AT[i] as number, pool[++at] as number);
    }
    return text.toString('latin1', 0, UUID_LENGTH);
  }

  private startMillisecond(ms: number): void {
    this.lastMs = ms;
    const hex = ms.toString(16).padStart(12, '0');
    this.text.write(`${hex.slice(0, 8)}-${hex.slice(8)}-7`, 0, 'latin1');
    const at = this.random();
    // The top bit stays 0, so that at least 2,048 ids fit into the millisecond.
    this.counter = (((this.pool[at] as number) & 0x07) << 8) | (this.pool[at + 1] as number);
  }

  private writeByte(at: number, byte: number): void {
    this.text[at] = digit(byte >> 4);
    this.text[at + 1] = digit(byte);
  }

  private random(): number {
    if (this.used + RANDOM_BYTES > POOL_BYTES) {
      this.fill(this.pool);
      this.used = 0;
    }
    const at = this.used;
    this.used += RANDOM_BYTES;
    return at;
  }
}

function digit(value: number): number {
  return DIGITS[value & 0xf] as number;
}

export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

/**
 * A UUID of version 5 (RFC 9562 §5.5): the same namespace and name always give the same id, so what is derived from an
 * event twice is recognised as the same.
 *
 * @param namespace a UUID
 * @throws TypeError when the namespace is not a UUID
 */
export function nameUuid(namespace: string, name: string): string {
  if (!isUuid(namespace)) {
    throw new TypeError(`expected the namespace of nameUuid to be a UUID, got ${JSON.stringify(namespace)}`);
  }
  const digest = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name, 'utf8')
    .digest();
  digest.writeUInt8((digest.readUInt8(6) & 0x0f) | 0x50, 6);
  digest.writeUInt8((digest.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = digest.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}
