import type { BacklogHost } from '../delivery/backlog.js';
import type { BacklogContents } from './backlog-contents.js';
import type { BacklogFile } from './backlog-file.js';
import type { CommitQueue } from './commit-queue.js';
import type { LmdbDeadLetters } from './lmdb-dead-letters.js';
import type { Ownership } from './ownership.js';

/** What one open backlog is made of. */
export interface BacklogParts {
  readonly host: BacklogHost;
  readonly file: BacklogFile;
  readonly ownership: Ownership;
  readonly contents: BacklogContents;
  readonly commits: CommitQueue;
  readonly letters: LmdbDeadLetters;
  /** Something may be leased that could not before. */
  tell(): void;
  /** The storage failed: it is reported, once. */
  failed(error: unknown): void;
}
