import { createHash, randomFillSync } from 'node:crypto';

/** Random bytes of one id: two and six, of which two bits are the variant. */
const RANDOM_BYTES = 8;
const POOL_IDS = 512;
const COUNTER_END = 1 << 12;
/** The first millisecond that has no room: in the year 10889. */
const END_MS = 2 ** 48;
/** The digits of each value of the counter, with the dash behind them: an id is put together from few strings. */
const COUNTERS: readonly string[] = Array.from(
  { length: COUNTER_END },
  (_, counter) => `${counter.toString(16).padStart(3, '0')}-`,
);
const DIGITS = RANDOM_BYTES * 2;

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
  /** What all ids of a millisecond begin with, up to the counter. */
  private beginning = '';
  private readonly pool = Buffer.alloc(POOL_IDS * RANDOM_BYTES);
  private digits = '';
  private used = 0;

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
    const at = this.random();
    const { digits } = this;
    return `${this.beginning}${COUNTERS[this.counter] as string}${digits.slice(at, at + 4)}-${digits.slice(at + 4, at + DIGITS)}`;
  }

  private startMillisecond(ms: number): void {
    this.lastMs = ms;
    const hex = ms.toString(16).padStart(12, '0');
    this.beginning = `${hex.slice(0, 8)}-${hex.slice(8)}-7`;
    // The top bit stays 0, so that at least 2,048 ids fit into the millisecond.
    const at = this.random() + 4;
    this.counter = Number.parseInt(this.digits.slice(at, at + 3), 16) & 0x7ff;
  }

  /** Where 16 unused hex digits stand, the first of which is the variant with two random bits. */
  private random(): number {
    if (this.used === this.digits.length) {
      this.fill(this.pool);
      for (let i = 0; i < this.pool.length; i += RANDOM_BYTES) {
        this.pool[i] = ((this.pool[i] as number) & 0x3f) | 0x80;
      }
      this.digits = this.pool.toString('hex');
      this.used = 0;
    }
    const start = this.used;
    this.used += DIGITS;
    return start;
  }
}

export function isUuid(value: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value);
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
