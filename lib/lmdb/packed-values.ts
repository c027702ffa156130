/*
 * Values of a block in few bytes, as most days and hours of most counters are 0, and most others small: for each value
 * that is not 0, ascending, its place (with the highest bit for a negative one), then its size in groups of seven bits,
 * the lowest first, the highest bit saying that more follow.
 */

const NEGATIVE = 0x80;
const MORE = 0x80;
const GROUP = 0x80;
/** A place and the eight groups of a safe integer. */
const MAX_BYTES_PER_VALUE = 9;

/** @param length how many values the block has, at most 128 */
export function unpackValues(bytes: Uint8Array | undefined, length: number): Float64Array {
  const values = new Float64Array(length);
  if (bytes === undefined) {
    return values;
  }
  let at = 0;
  while (at < bytes.length) {
    const place = bytes[at++] as number;
    let size = 0;
    let scale = 1;
    let group: number;
    do {
      group = bytes[at++] as number;
      size += (group % MORE) * scale;
      scale *= GROUP;
    } while (group >= MORE);
    values[place % NEGATIVE] = place >= NEGATIVE ? -size : size;
  }
  return values;
}

/** @param values safe integers, at most 128 */
export function packValues(values: Float64Array): Buffer {
  const bytes = Buffer.allocUnsafe(values.length * MAX_BYTES_PER_VALUE);
  let at = 0;
  for (let place = 0; place < values.length; place++) {
    const value = values[place] as number;
    if (value !== 0) {
      bytes[at++] = value < 0 ? place + NEGATIVE : place;
      let size = Math.abs(value);
      while (size >= GROUP) {
        bytes[at++] = (size % GROUP) + MORE;
        size = Math.floor(size / GROUP);
      }
      bytes[at++] = size;
    }
  }
  // A copy: the rest of the memory need not be held until it is written.
  return Buffer.from(bytes.subarray(0, at));
}
