import { createHash } from 'node:crypto';

/*
 * Keys of a backlog in LMDB; numbers are big-endian, so that keys sort as they count.
 *
 * r place range                            who holds a range of events, see `range-record.ts`
 * c range seq acceptedAt count bytes       a chunk of events, see `chunk.ts`
 * m range seq writer                       which events of a chunk are settled, one bit each
 * d place at owner number bytes            a dead letter
 *
 * A place is a tracker and a path; a range holds what one backlog of one process accepted. What is in a chunk's key need
 * not be read from the chunk when a process starts.
 */

const ID_BYTES = 8;
const TIME_BYTES = 6;
const SEQ_BYTES = 6;
const COUNT_BYTES = 4;
const SEQ_AT = 1 + ID_BYTES;

export interface KeyRange {
  readonly start: Buffer;
  readonly end: Buffer;
}

/** Ids of places and ranges are texts of sixteen hexadecimal digits. */
export function placeId(tracker: string, path: string): string {
  return createHash('sha256')
    .update(`${tracker}\0${path}`)
    .digest('hex')
    .slice(0, 2 * ID_BYTES);
}

/** All keys that begin like this. */
export function keysOf(kind: 'r' | 'c' | 'm' | 'd', id = ''): KeyRange {
  const start = Buffer.from(`${Buffer.from(kind).toString('hex')}${id}`, 'hex');
  const end = Buffer.concat([start, Buffer.alloc(64, 0xff)]);
  return { start, end };
}

export function rangeKey(place: string, range: string): Buffer {
  return Buffer.from(`72${place}${range}`, 'hex');
}

export function rangeIdIn(key: Buffer): string {
  return key.toString('hex', 1 + ID_BYTES, 1 + 2 * ID_BYTES);
}

export interface ChunkName {
  readonly seq: number;
  readonly acceptedAt: number;
  readonly count: number;
  readonly size: number;
}

export function chunkKey(range: string, { seq, acceptedAt, count, size }: ChunkName): Buffer {
  const key = Buffer.alloc(SEQ_AT + SEQ_BYTES + TIME_BYTES + 2 * COUNT_BYTES);
  let at = key.write(`63${range}`, 'hex');
  at = key.writeUIntBE(seq, at, SEQ_BYTES);
  at = key.writeUIntBE(acceptedAt, at, TIME_BYTES);
  at = key.writeUInt32BE(count, at);
  key.writeUInt32BE(size, at);
  return key;
}

export function chunkNameIn(key: Buffer): ChunkName {
  const timeAt = SEQ_AT + SEQ_BYTES;
  const countAt = timeAt + TIME_BYTES;
  return {
    seq: key.readUIntBE(SEQ_AT, SEQ_BYTES),
    acceptedAt: key.readUIntBE(timeAt, TIME_BYTES),
    count: key.readUInt32BE(countAt),
    size: key.readUInt32BE(countAt + COUNT_BYTES),
  };
}

export function marksKey(range: string, seq: number, writer: string): Buffer {
  const id = seq.toString(16).padStart(2 * SEQ_BYTES, '0');
  return Buffer.from(`6d${range}${id}${writer}`, 'hex');
}

/** The marks of one chunk, whoever wrote them. */
export function marksOf(range: string, seq: number): KeyRange {
  return keysOf('m', `${range}${seq.toString(16).padStart(2 * SEQ_BYTES, '0')}`);
}

export function seqOfMarks(key: Buffer): number {
  return key.readUIntBE(SEQ_AT, SEQ_BYTES);
}

export interface LetterName {
  readonly at: number;
  readonly owner: string;
  readonly number: number;
  readonly size: number;
}

export function letterKey(place: string, { at, owner, number, size }: LetterName): Buffer {
  const key = Buffer.alloc(1 + 2 * ID_BYTES + TIME_BYTES + 2 * COUNT_BYTES);
  let offset = key.write(`64${place}`, 'hex');
  offset = key.writeUIntBE(at, offset, TIME_BYTES);
  offset += key.write(owner, offset, 'hex');
  offset = key.writeUInt32BE(number, offset);
  key.writeUInt32BE(size, offset);
  return key;
}

export function letterNameIn(key: Buffer): LetterName {
  const ownerAt = 1 + ID_BYTES + TIME_BYTES;
  const numberAt = ownerAt + ID_BYTES;
  return {
    at: key.readUIntBE(1 + ID_BYTES, TIME_BYTES),
    owner: key.toString('hex', ownerAt, numberAt),
    number: key.readUInt32BE(numberAt),
    size: key.readUInt32BE(numberAt + COUNT_BYTES),
  };
}
