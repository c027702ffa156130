import { outside } from '../core/outside.js';
import type { BacklogDraft } from './backlog-draft.js';
import type { DiskSpace } from './disk-space.js';
import { bytesOnDisk } from './disk-space.js';

/** One thing to be written. */
export interface Work {
  /** What it adds to the file, in bytes. Default: next to nothing. */
  bytes?(): number;
  /** Whether it brings new events, which leave some room for the others. Default: false. */
  readonly bringsEvents?: boolean;
  /** Called when its batch starts, and again when that has to be written anew. */
  write(draft: BacklogDraft): void;
  /** It is stored. Must not throw. */
  done?(): void;
  /** It is not stored. Must not throw. */
  failed?(error: Error): void;
}

const MAX_BATCH = 1_000;

/**
 * Gathers what is written in one turn of the event loop, and all that comes while the last batch is under way, into one
 * batch.
 *
 * Invariants
 * - One batch is under way at a time, in the order of the work; work is in exactly one of them.
 * - Work hears of its end before the next batch starts, so that a batch is written on what the last one left.
 * - Batches run outside the async context of whoever asked for them.
 */
export class CommitQueue {
  private waiting: Work[] = [];
  private running = false;
  private scheduled = false;
  private idlers: (() => void)[] = [];

  /**
   * @param space what may be written now
   * @param full called when that is too little for some work; it fails with what this answers
   * @param commit rejects when nothing of a batch was stored
   */
  constructor(
    private readonly space: () => DiskSpace,
    private readonly full: () => Error,
    private readonly commit: (batch: readonly Work[]) => Promise<void>,
  ) {}

  /** Whether something waits or is under way. */
  get busy(): boolean {
    return this.waiting.length > 0 || this.running;
  }

  push(work: Work): void {
    this.waiting.push(work);
    this.schedule();
  }

  /** The same for one who waits. */
  write(write: Work['write']): Promise<void> {
    return new Promise((resolve, reject) => {
      this.push({ write, done: resolve, failed: reject });
    });
  }

  /** Resolves when nothing waits and nothing is under way. */
  idle(): Promise<void> {
    return this.busy
      ? new Promise((resolve) => {
          this.idlers.push(resolve);
        })
      : Promise.resolve();
  }

  private schedule(): void {
    if (!this.scheduled && !this.running) {
      this.scheduled = true;
      queueMicrotask(() => {
        this.scheduled = false;
        outside(() => {
          void this.run();
        });
      });
    }
  }

  private async run(): Promise<void> {
    this.running = true;
    while (this.waiting.length > 0) {
      const batch = this.fitting(this.waiting.splice(0, MAX_BATCH));
      const error = batch.length === 0 ? undefined : await this.tryCommit(batch);
      for (const work of batch) {
        if (error === undefined) {
          work.done?.();
        } else {
          work.failed?.(error);
        }
      }
    }
    this.running = false;
    for (const tell of this.idlers.splice(0)) {
      tell();
    }
  }

  /** Those for which there is room; the others have failed. */
  private fitting(works: readonly Work[]): Work[] {
    let { bytes, forEvents } = this.space();
    return works.filter((work) => {
      const added = bytesOnDisk(work.bytes?.() ?? 0);
      bytes -= added;
      forEvents -= added;
      if ((work.bringsEvents === true ? forEvents : bytes) >= 0) {
        return true;
      }
      bytes += added;
      forEvents += added;
      work.failed?.(this.full());
      return false;
    });
  }

  private async tryCommit(batch: readonly Work[]): Promise<Error | undefined> {
    try {
      await this.commit(batch);
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }
}
