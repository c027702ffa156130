import type { BacklogHost, LeaseRequest } from '../delivery/backlog.js';
import type { DeadLetter, DeadLetterFilter } from '../delivery/dead-letter.js';
import { deadLetterMatcher } from '../delivery/dead-letter.js';
import { Acceptance } from './acceptance.js';
import { Adoption } from './adoption.js';
import { BacklogContents } from './backlog-contents.js';
import { BacklogDraft } from './backlog-draft.js';
import { BacklogFile } from './backlog-file.js';
import { placeId } from './backlog-keys.js';
import type { BacklogParts } from './backlog-parts.js';
import type { Work } from './commit-queue.js';
import { CommitQueue } from './commit-queue.js';
import { eventLoopTurn } from './event-loop-turn.js';
import type { LmdbBacklogSettings } from './lmdb-backlog-options.js';
import type { StoredLetter } from './lmdb-dead-letters.js';
import { LmdbDeadLetters } from './lmdb-dead-letters.js';
import type { LmdbLease } from './lmdb-lease.js';
import { Ownership } from './ownership.js';
import { ownIdentity } from './process-identity.js';
import { Settling } from './settling.js';

const QUIET_MS = 60_000;

/** A backlog from its opening to its end. */
export class OpenBacklog {
  closed = false;
  readonly parts: BacklogParts;
  readonly acceptance: Acceptance;
  private readonly settling: Settling;
  private readonly adoption: Adoption;
  /** What was found counts already, and may be leased when it is ours. */
  private opening: Promise<void> | undefined;
  private closing: Promise<void> | undefined;
  private failedAtMs = -Infinity;

  /** @throws TrackingError `invalid_options` when the file cannot be used */
  constructor(settings: LmdbBacklogSettings, host: BacklogHost, tell: () => void) {
    const file = BacklogFile.open(settings.path, settings.durability, host.clock);
    const place = placeId(host.tracker, host.path);
    const ownership = new Ownership(file, host, place, ownIdentity());
    this.parts = {
      ...{ host, file, ownership, tell },
      failed: (error) => {
        this.reportFailure(error);
      },
      contents: new BacklogContents(file, host, (range) => {
        this.adoption.drop(range);
      }),
      commits: new CommitQueue(
        () => file.space(),
        () => {
          const error = file.fullError();
          this.reportFailure(error);
          return error;
        },
        (batch) => this.commit(batch),
      ),
      letters: new LmdbDeadLetters(
        file,
        host.clock,
        place,
        { tracker: host.tracker, path: host.path },
        settings.deadLetters,
      ),
    };
    this.acceptance = new Acceptance(this.parts, settings);
    this.settling = new Settling(this.parts, () => {
      this.acceptance.admit();
    });
    this.adoption = new Adoption(this.parts);
    this.opening = this.adoption.start().then(() => {
      this.opening = undefined;
    });
  }

  async lease(request: LeaseRequest): Promise<LmdbLease | undefined> {
    if (this.opening !== undefined) {
      await this.opening;
    }
    if (this.closed) {
      return undefined;
    }
    return this.settling.lease(request) ?? this.leaseWhenStored(request);
  }

  /** What is being stored is as good as there for who cannot wait: at the end of a process nobody comes back for it. */
  availableIn(request: LeaseRequest): number | undefined {
    const { contents, host } = this.parts;
    if (this.closed) {
      return undefined;
    }
    return this.isAwaited(request) ? 0 : contents.queues.availableIn(request, host.time());
  }

  async *deadLetters(filter?: DeadLetterFilter): AsyncGenerator<DeadLetter> {
    for await (const slice of this.letters(filter)) {
      for (const { letter } of slice) {
        yield letter;
      }
    }
  }

  async replay(filter?: DeadLetterFilter): Promise<number> {
    let replayed = 0;
    for await (const slice of this.letters(filter)) {
      const count = await this.acceptance.replay(slice);
      replayed += count;
      if (count < slice.length) {
        break;
      }
    }
    this.parts.letters.recount();
    return replayed;
  }

  close(): Promise<void> {
    return (this.closing ??= this.closeOnce());
  }

  private isAwaited({ maxDelayMs }: LeaseRequest): boolean {
    const { contents, commits } = this.parts;
    return maxDelayMs === 0 && contents.unstoredBytes > 0 && commits.busy;
  }

  private async leaseWhenStored(request: LeaseRequest): Promise<LmdbLease | undefined> {
    if (!this.isAwaited(request)) {
      return undefined;
    }
    try {
      await this.parts.commits.write(() => undefined);
    } catch {
      // It is reported, and tried again.
    }
    return this.closed ? undefined : this.settling.lease(request);
  }

  private async *letters(filter?: DeadLetterFilter): AsyncGenerator<StoredLetter[]> {
    const matches = deadLetterMatcher(filter);
    await this.parts.commits.idle();
    for (const slice of this.parts.letters.slices()) {
      yield slice.filter(({ letter }) => matches(letter));
      await eventLoopTurn();
      if (this.closed) {
        return;
      }
    }
  }

  private async closeOnce(): Promise<void> {
    const { commits, ownership, contents, file } = this.parts;
    this.closed = true;
    this.acceptance.close();
    await this.adoption.close();
    await commits.idle();
    this.settling.close();
    try {
      await commits.write(({ writes }) => {
        ownership.end(writes, contents.own.oldest === undefined);
      });
    } catch {
      // It is reported; others adopt what is left when they see that this process is gone.
    }
    await file.close();
  }

  /** Writes a batch on the condition that our events are still ours; else it is written by us under a new name. */
  private async commit(batch: readonly Work[]): Promise<void> {
    const { file, ownership, letters } = this.parts;
    try {
      for (;;) {
        file.refresh();
        let beaten: () => void = () => undefined;
        const { range, condition } = ownership;
        const done = await file.commit(condition, (writes) => {
          beaten = ownership.beat(writes);
          const draft = new BacklogDraft(writes, range.id, letters, (keys) => file.keys(keys));
          for (const work of batch) {
            work.write(draft);
          }
          draft.finish();
        });
        if (done) {
          beaten();
          return;
        }
        this.lost();
      }
    } catch (error) {
      this.reportFailure(error);
      throw error;
    }
  }

  /** This process was suspended for so long that another one adopted its events. */
  private lost(): void {
    this.settling.loseAll();
    this.parts.contents.loseAll();
    this.parts.ownership.renew();
  }

  /** On a full disk small things may find room where large ones do not: it works again after some quiet time. */
  private reportFailure(error: unknown): void {
    const { host } = this.parts;
    const now = host.clock.monotonicMs();
    if (now - this.failedAtMs >= QUIET_MS) {
      host.report({
        code: 'backlog_failed',
        message: (error as Error).message,
        error,
      });
    }
    this.failedAtMs = now;
  }
}
