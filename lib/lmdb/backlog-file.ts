import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { RootDatabase } from 'lmdb';
import { open } from 'lmdb';
import type { Clock } from '../core/clock.js';
import { TrackingError } from '../core/errors.js';
import type { DiskSpace } from './disk-space.js';
import { diskSpace } from './disk-space.js';
import { DiskFlush } from './disk-flush.js';
import type { KeyRange } from './backlog-keys.js';
import { prepareLmdbFile } from './lmdb-file.js';

const FILE = 'backlog.mdb';
const EMPTY = Buffer.alloc(0);
/** LMDB keeps a version with each value; only those of range records mean something. */
const ANY_VERSION = 1;

/** What one commit writes. */
export interface Writes {
  put(key: Buffer, value: Buffer, version?: number): void;
  remove(key: Buffer): void;
}

/** That a record has a version still; `undefined`: that there is none. */
export interface Condition {
  readonly key: Buffer;
  readonly version: number | undefined;
}

export interface VersionedEntry {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly version: number;
}

/**
 * The file of backlogs. All writes are conditional batches that run on LMDB's own thread: no JavaScript runs while the
 * write lock is held, and on a full disk, where LMDB survives only one kind of transaction, there is only one kind.
 */
export class BacklogFile implements Writes {
  private lastFailed = false;

  private constructor(
    readonly path: string,
    private readonly db: RootDatabase<Buffer, Buffer>,
    /** Flushes soon after the commits; absent where each commit is flushed. */
    private readonly flush: DiskFlush | undefined,
  ) {}

  /** @throws TrackingError `invalid_options` when the file cannot be used */
  static open(folder: string, durability: 'process' | 'power', clock: Clock): BacklogFile {
    const path = prepareLmdbFile(folder, FILE);
    if (statSync(path).size === 0 && diskSpace(folder).bytes < 0) {
      throw new TrackingError('invalid_options', fullMessage(path));
    }
    const noSync = durability === 'process';
    try {
      const db = open<Buffer, Buffer>({
        ...{ path, encoding: 'binary', keyEncoding: 'binary' },
        ...{ useVersions: true, separateFlushed: true },
        // A commit that waits for the flush of the one before takes milliseconds.
        ...{ noSync, overlappingSync: !noSync },
        // Its promises of whole turns are nobody's, and end the process when they reject.
        eventTurnBatching: false,
      });
      return new BacklogFile(path, db, noSync ? new DiskFlush(path, clock) : undefined);
    } catch (error) {
      throw new TrackingError(
        'invalid_options',
        `path: ${path} cannot be opened: ${(error as Error).message}; all backlogs of one path need the same durability`,
        { cause: error },
      );
    }
  }

  /** Writes all or nothing; answers false, and writes nothing, when the condition does not hold. */
  async commit({ key, version }: Condition, write: (writes: Writes) => void): Promise<boolean> {
    const run = (): void => {
      write(this);
    };
    const committed =
      version === undefined ? this.db.ifNoExists(key, run) : this.db.ifVersion(key, version, run);
    const { flushed } = committed as { flushed?: PromiseLike<unknown> };
    try {
      const done = await committed;
      this.lastFailed = false;
      if (done && this.flush === undefined) {
        await flushed;
      }
      this.flush?.written();
      return done;
    } catch (error) {
      this.lastFailed = true;
      throw new Error(
        `${this.path} could not be written (${await reasonOf(error)}); is the disk full, or broken?`,
        { cause: error },
      );
    }
  }

  put(key: Buffer, value: Buffer, version = ANY_VERSION): void {
    void this.db.put(key, value.length === 0 ? EMPTY : value, version);
  }

  remove(key: Buffer): void {
    void this.db.remove(key);
  }

  /** Makes visible what others wrote. */
  refresh(): void {
    this.db.resetReadTxn();
  }

  space(): DiskSpace {
    return diskSpace(dirname(this.path));
  }

  fullError(): Error {
    return new Error(fullMessage(this.path));
  }

  read(key: Buffer): Buffer | undefined {
    return this.db.getBinary(key);
  }

  /** Valid until the next reading. */
  peek(key: Buffer): Buffer | undefined {
    return this.db.getBinaryFast(key);
  }

  *keys(range: KeyRange, limit?: number): Generator<Buffer> {
    yield* this.db.getKeys({
      ...range,
      ...(limit === undefined ? {} : { limit }),
    });
  }

  *entries(range: KeyRange, limit?: number): Generator<VersionedEntry> {
    for (const { key, value, version } of this.db.getRange({
      ...range,
      versions: true,
      ...(limit === undefined ? {} : { limit }),
    })) {
      yield { key, value, version: version ?? ANY_VERSION };
    }
  }

  /** Flushes and lets go; after a failed write it only lets go, because LMDB never answers to that flush. */
  async close(): Promise<void> {
    await this.flush?.close();
    if (this.lastFailed) {
      void this.db.close();
      return;
    }
    await this.db.flushed;
    await this.db.close();
  }
}

function fullMessage(path: string): string {
  return `${path} could not be written: the disk is full; make room on it`;
}

async function reasonOf(error: unknown): Promise<string> {
  const { commitError } = error as { commitError?: PromiseLike<unknown> };
  try {
    await commitError;
  } catch (cause) {
    return (cause as Error).message;
  }
  return (error as Error).message;
}
