import type { RootDatabase } from 'lmdb';
import { open } from 'lmdb';
import { TrackingError } from '../core/errors.js';
import { errorMessage } from '../core/describe.js';
import type { Settled } from '../metrics/write-queue.js';
import { LmdbDraft } from './lmdb-draft.js';
import { prepareLmdbFile } from './lmdb-file.js';
import { keyOf } from './lmdb-keys.js';

/** Work over a draft; what it throws undoes what it did there. */
export type DraftWork<T> = (draft: LmdbDraft) => T;

export interface Range {
  readonly start: Buffer;
  readonly end: Buffer;
}

/** In a row, lost to other processes: each time one of them got ahead. */
const MAX_ATTEMPTS = 1_000;
const VERSION_KEY = keyOf('v');
const EMPTY = Buffer.alloc(0);

/**
 * A file of LMDB that several processes read, change and write back at the same time.
 *
 * Invariants
 * - A batch is computed on one snapshot and written under one condition: that the version of the whole is still that of
 *   the snapshot. Else it is computed anew. So no change is lost, and no JavaScript runs while the write lock is held.
 * - A batch is in the file when it resolves, and outlives the process; the flush to the disk follows. After a power cut
 *   the file holds a state that was flushed.
 */
export class LmdbDatabase {
  private lastFailed = false;

  private constructor(private readonly db: RootDatabase<Buffer, Buffer>) {}

  /** @throws TrackingError `invalid_options` when the file cannot be used */
  static open(folder: string, name: string): LmdbDatabase {
    return new LmdbDatabase(
      open<Buffer, Buffer>({
        path: prepareLmdbFile(folder, name),
        encoding: 'binary',
        keyEncoding: 'binary',
        useVersions: true,
        separateFlushed: true,
        // Its promises of whole turns are nobody's, and end the process when they reject.
        eventTurnBatching: false,
      }),
    );
  }

  /** Does all of the work, or none. */
  async write(batch: readonly DraftWork<unknown>[]): Promise<readonly Settled<unknown>[]> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const draft = new LmdbDraft(this.db);
      const version = this.version();
      const results = batch.map((work) => draft.attempt(work));
      if (draft.isEmpty || (await this.commit(draft, version))) {
        return results;
      }
    }
    throw new TrackingError(
      'timeout',
      `other processes changed the metrics first, ${MAX_ATTEMPTS} times in a row`,
    );
  }

  /** The present state, also of what other processes wrote. */
  refresh(): this {
    this.db.resetReadTxn();
    return this;
  }

  get(key: Buffer): Buffer | undefined {
    return this.db.getBinary(key);
  }

  *entries(range: Range): Generator<{ key: Buffer; value: Buffer }> {
    yield* this.db.getRange(range);
  }

  *keys(range: Range & { readonly limit?: number }): Generator<Buffer> {
    yield* this.db.getKeys(range);
  }

  /** Flushes and lets go; after a failed write it only lets go: LMDB never answers to that flush. */
  async close(): Promise<void> {
    if (this.lastFailed) {
      void this.db.close();
      return;
    }
    await this.db.flushed;
    await this.db.close();
  }

  private version(): number {
    this.refresh();
    return this.db.getEntry(VERSION_KEY)?.version ?? 0;
  }

  private async commit(draft: LmdbDraft, version: number): Promise<boolean> {
    const write = (): void => {
      draft.writeTo(this.db);
      void this.db.put(VERSION_KEY, EMPTY, version + 1);
    };
    try {
      const done = await (version === 0
        ? this.db.ifNoExists(VERSION_KEY, write)
        : this.db.ifVersion(VERSION_KEY, version, write));
      this.lastFailed = false;
      return done;
    } catch (error) {
      this.lastFailed = true;
      throw new Error(`the metrics could not be written (${await reasonOf(error)}); is the disk full?`, {
        cause: error,
      });
    }
  }
}

/** LMDB tells the reason apart from the failure, and later. */
async function reasonOf(error: unknown): Promise<string> {
  const { commitError } = error as { commitError?: PromiseLike<unknown> };
  try {
    await commitError;
  } catch (cause) {
    return errorMessage(cause);
  }
  return errorMessage(error);
}
