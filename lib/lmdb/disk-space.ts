import type { StatsFs } from 'node:fs';
import { statfsSync } from 'node:fs';

/*
 * LMDB 3.5 writes over the end of a buffer when the disk refuses a page of its, which ends the process sooner or later.
 * So the room is looked at before each write; and new events leave some, so that a backlog that has filled its disk can
 * still record what is delivered.
 */

/** What a few changed pages of the tree may take. */
const MARGIN_BYTES = 128 * 1024;
const RESERVE = { share: 0.01, minBytes: 256 * 1024, maxBytes: 16 * 1024 ** 2 };
/** Values lie in pages of their own, and the ways to them change. */
const PER_VALUE_BYTES = 16 * 1024;

/** How much may be written to the file system of a folder. */
export interface DiskSpace {
  /** For what has to be recorded. */
  readonly bytes: number;
  /** For new events. */
  readonly forEvents: number;
}

/** Enough, where nobody can tell: a folder that is gone fails by itself. */
const UNKNOWN: DiskSpace = { bytes: Infinity, forEvents: Infinity };

export function diskSpace(folder: string): DiskSpace {
  const disk = statOf(folder);
  return disk === undefined ? UNKNOWN : roomOn(disk);
}

function statOf(folder: string): StatsFs | undefined {
  try {
    return statfsSync(folder);
  } catch {
    return undefined;
  }
}

function roomOn({ bavail, blocks, bsize }: StatsFs): DiskSpace {
  const bytes = bavail * bsize - MARGIN_BYTES;
  const reserve = Math.min(RESERVE.maxBytes, Math.max(RESERVE.minBytes, blocks * bsize * RESERVE.share));
  return { bytes, forEvents: bytes - reserve };
}

/** What a value may take on the disk. */
export function bytesOnDisk(bytes: number): number {
  return bytes + PER_VALUE_BYTES;
}
