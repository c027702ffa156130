import { closeSync, fstatSync, mkdirSync, openSync, readSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { TrackingError } from '../core/errors.js';

/*
 * LMDB maps its file into memory: opening one that is cut off, or whose first pages are not its own, ends the process
 * with SIGBUS or SIGSEGV. So both are looked at before.
 *
 * Layout (lmdb-js 3, little-endian): two meta pages of one page size each. In each, after 24 bytes of page header:
 * magic u32 at 24, version u32 at 28, page size u32 at 48, last page u64 at 144, transaction u64 at 152.
 */

const MAGIC = 0xbeefc0de;
const VERSION = 2;
const META_BYTES = 160;
const PAGE_SIZES = { min: 512, max: 65_536 };

/** Magic numbers of `statfs` of file systems on which locks and maps are not those of one machine. */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xfe534d42, 'SMB2'],
  [0xff534d42, 'CIFS'],
  [0x01021997, '9P'],
]);

/**
 * Makes the folder and the file where they are missing, readable by this user alone, and checks the file.
 *
 * @returns the path of the file
 * @throws TrackingError `invalid_options` when the file is damaged or on a network file system
 */
export function prepareLmdbFile(folder: string, name: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const kind = NETWORK_FILE_SYSTEMS.get(statfsSync(folder).type >>> 0);
  if (kind !== undefined) {
    throw new TrackingError(
      'invalid_options',
      `path: ${folder} is on ${kind}; LMDB needs a file system of this machine`,
    );
  }
  const file = join(folder, name);
  makeLockFile(`${file}-lock`);
  const descriptor = openSync(file, 'a+', 0o600);
  try {
    const problem = damage(descriptor);
    if (problem !== undefined) {
      throw new TrackingError(
        'invalid_options',
        `path: ${file} is damaged (${problem}); move it away, or put a backup in its place`,
      );
    }
  } finally {
    closeSync(descriptor);
  }
  return file;
}

/** One that is there must not be opened: this process loses LMDB's lock on it when it closes any descriptor of it. */
function makeLockFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw error;
    }
  }
}

/** What is wrong with a file; `undefined` for a new one, too. */
function damage(descriptor: number): string | undefined {
  if (fstatSync(descriptor).size === 0) {
    return undefined;
  }
  const first = readMeta(descriptor, 0);
  const pageSize = first?.readUInt32LE(48) ?? 0;
  if (
    first === undefined ||
    pageSize < PAGE_SIZES.min ||
    pageSize > PAGE_SIZES.max ||
    (pageSize & (pageSize - 1)) !== 0
  ) {
    return 'it does not begin like an LMDB file';
  }
  const second = readMeta(descriptor, pageSize);
  if (second === undefined) {
    return 'its second page is not one of an LMDB file';
  }
  const [older, newer] = [first, second].sort((a, b) =>
    Number(a.readBigUInt64LE(152) - b.readBigUInt64LE(152)),
  ) as [Buffer, Buffer];
  const pages = Number(newer.readBigUInt64LE(144)) + 1;
  // Asked after the header was read: other processes write, and a commit writes its pages before its header.
  const missing = pages * pageSize - fstatSync(descriptor).size;
  return missing > 0 && older.length > 0 ? `${missing} bytes are missing at its end` : undefined;
}

/** The meta page at a place, if it is one. */
function readMeta(descriptor: number, at: number): Buffer | undefined {
  const meta = Buffer.alloc(META_BYTES);
  const read = readSync(descriptor, meta, 0, META_BYTES, at);
  return read === META_BYTES && meta.readUInt32LE(24) === MAGIC && meta.readUInt32LE(28) === VERSION
    ? meta
    : undefined;
}
