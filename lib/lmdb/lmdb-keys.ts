/*
 * Keys of the metrics in LMDB: the kind, then names, each after its length in bytes (so that no name is the beginning of
 * another key), then numbers, big-endian, so that they sort as they count.
 */

export type KeyKind =
  | 't' // total: subject, metric
  | 'd' // days of a month: subject, metric, month
  | 'h' // hours of a day: subject, metric, day
  | 'u' // members of a day, of a subject: subject, metric, day
  | 'm' // members of a day, of a metric: metric, day
  | 'f' // facts: subject, key, moment, sequence
  | 'i' // which subjects have facts: key, subject
  | 'v'; // the version of the whole: nothing

const LENGTH_BYTES = 2;
const NUMBER_BYTES = 6;
/** Days and moments before 1970 are negative. */
const BIAS = 2 ** 47;

export function keyOf(kind: KeyKind, names: readonly string[] = [], numbers: readonly number[] = []): Buffer {
  let size = 1 + numbers.length * NUMBER_BYTES;
  for (const name of names) {
    size += LENGTH_BYTES + Buffer.byteLength(name);
  }
  const key = Buffer.allocUnsafe(size);
  let at = key.write(kind, 0, 'latin1');
  for (const name of names) {
    const length = key.write(name, at + LENGTH_BYTES);
    key.writeUInt16BE(length, at);
    at += LENGTH_BYTES + length;
  }
  for (const number of numbers) {
    at = key.writeUIntBE(number + BIAS, at, NUMBER_BYTES);
  }
  return key;
}

/** The name that stands at a place, from 0. */
export function nameIn(key: Buffer, nth: number): string {
  let at = 1;
  for (let skipped = 0; skipped < nth; skipped++) {
    at += LENGTH_BYTES + key.readUInt16BE(at);
  }
  const start = at + LENGTH_BYTES;
  return key.toString('utf8', start, start + key.readUInt16BE(at));
}

/** The number that stands at a place counted from the end, the last at 0. */
export function numberIn(key: Buffer, fromEnd = 0): number {
  return key.readUIntBE(key.length - (fromEnd + 1) * NUMBER_BYTES, NUMBER_BYTES) - BIAS;
}

/** All keys that begin with some bytes, those excluded that only the bytes themselves are. */
export function rangeOf(prefix: Buffer): {
  readonly start: Buffer;
  readonly end: Buffer;
} {
  const end = Buffer.from(prefix);
  let last = end.length - 1;
  while (end[last] === 0xff) {
    last--;
  }
  end[last] = (end[last] as number) + 1;
  return { start: prefix, end: end.subarray(0, last + 1) };
}

/** Keys with the same names whose last number lies in a span. */
export function spanOf(
  kind: KeyKind,
  names: readonly string[],
  { from, to }: { readonly from?: number; readonly to?: number },
): { readonly start: Buffer; readonly end: Buffer } {
  const all = rangeOf(keyOf(kind, names));
  return {
    start: from === undefined ? all.start : keyOf(kind, names, [from]),
    end: to === undefined ? all.end : keyOf(kind, names, [to + 1]),
  };
}
