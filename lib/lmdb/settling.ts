import type { LeaseRequest, Settlement } from '../delivery/backlog.js';
import type { BacklogDraft } from './backlog-draft.js';
import type { BacklogParts } from './backlog-parts.js';
import { bytesOnDisk } from './disk-space.js';
import { EventsInCare } from './events-in-care.js';
import { giveUpUnreadable } from './unreadable-events.js';
import type { NewLetter } from './lmdb-dead-letters.js';
import type { LeaseOwner } from './lmdb-lease.js';
import { LmdbEntry, LmdbLease } from './lmdb-lease.js';

interface Claim {
  readonly entry: LmdbEntry;
  readonly partition: string;
  readonly outcome: Settlement['outcome'];
  letter?: NewLetter;
}

/** The leases that are out, and what becomes of their events. A settlement counts once it is stored. */
export class Settling implements LeaseOwner {
  private readonly leases = new Set<LmdbLease>();
  private readonly inCare: EventsInCare;
  private nextToken = 0;
  private closed = false;

  /** @param freed called when there is more room */
  constructor(
    private readonly parts: BacklogParts,
    private readonly freed: () => void,
  ) {
    this.inCare = new EventsInCare(parts.contents, (events) => {
      giveUpUnreadable(parts, events);
    });
  }

  lease(request: LeaseRequest): LmdbLease | undefined {
    const { contents, host, file } = this.parts;
    for (;;) {
      const queue = contents.queues.next(request, host.time());
      if (queue === undefined) {
        return undefined;
      }
      file.refresh();
      const entries = this.inCare.take(queue, request);
      if (entries.length > 0) {
        queue.locked = host.partitionOf !== undefined;
        const token = String(this.nextToken++);
        const lease = new LmdbLease(token, queue.partition, entries, this);
        this.leases.add(lease);
        return lease;
      }
    }
  }

  settle(lease: LmdbLease, settlements: readonly Settlement[]): Promise<void> {
    const claims: Claim[] = [];
    for (const { events, outcome } of settlements) {
      for (const event of events) {
        const entry =
          event instanceof LmdbEntry && !this.closed ? this.claim(lease, event, outcome) : undefined;
        if (entry !== undefined) {
          entry.state = 'settling';
          claims.push({ entry, outcome, partition: lease.partition });
        }
      }
    }
    return claims.length === 0
      ? Promise.resolve()
      : new Promise((resolve, reject) => {
          this.parts.commits.push({
            bytes: () => lettersOf(claims),
            write: (draft) => {
              for (const claim of claims) {
                this.write(draft, claim);
              }
            },
            done: () => {
              this.done(claims);
              resolve();
            },
            failed: (error) => {
              this.failed(claims);
              reject(error);
            },
          });
        });
  }

  ended(lease: LmdbLease, left: readonly LmdbEntry[], afterMs: number): void {
    const { contents, host } = this.parts;
    this.leases.delete(lease);
    const queue = contents.queues.of(lease.partition);
    queue.locked = false;
    if (afterMs > 0) {
      queue.blockedUntil = host.time() + afterMs;
    }
    this.inCare.giveBack(queue, left);
    contents.queues.dropEmpty(queue);
    this.parts.tell();
  }

  /** Somebody else holds the events now: every lease is lost. */
  loseAll(): void {
    for (const lease of this.leases) {
      lease.lose();
    }
    this.leases.clear();
    this.inCare.loseAll();
  }

  /** Nothing can be recorded any more. */
  close(): void {
    this.closed = true;
  }

  /** The entry that a settlement is about, if it is this lease's to settle. */
  private claim(lease: LmdbLease, entry: LmdbEntry, outcome: Settlement['outcome']): LmdbEntry | undefined {
    const { chunk, seq, index } = entry;
    const isOurs = lease.open && entry.holder === lease;
    if ((!isOurs && outcome !== 'delivered') || chunk.isGone(index)) {
      return undefined;
    }
    if (chunk.range.lost) {
      return entry.state === 'out' ? entry : undefined;
    }
    const current = this.inCare.of(seq);
    if (current !== undefined) {
      return current.state === 'out' ? current : undefined;
    }
    const { queues } = this.parts.contents;
    return queues.of(lease.partition).remove(seq, entry.bytes) ? entry : undefined;
  }

  private write(draft: BacklogDraft, claim: Claim): void {
    const { entry, outcome } = claim;
    const { chunk, index } = entry;
    const { host, letters, ownership } = this.parts;
    if (chunk.range.lost) {
      if (outcome === 'delivered') {
        draft.deliveredLate(chunk, index);
      }
      return;
    }
    draft.settle(chunk, index);
    if (outcome !== 'delivered') {
      claim.letter ??= letters.make(entry.event, outcome, host.clock.now(), ownership.range.id);
      draft.bury(claim.letter);
    }
  }

  private done(claims: readonly Claim[]): void {
    for (const { entry, outcome } of claims) {
      if (entry.chunk.range.lost) {
        entry.state = 'gone';
        // Marks of one writer are one set.
        if (outcome === 'delivered') {
          entry.chunk.markGone(entry.index, entry.bytes);
        }
      } else {
        this.inCare.settled(entry, outcome === 'delivered');
        entry.holder?.entryGone();
      }
    }
    this.freed();
  }

  private failed(claims: readonly Claim[]): void {
    const { contents } = this.parts;
    for (const { entry, partition } of claims) {
      entry.state = 'out';
      if (entry.holder === undefined && !entry.chunk.range.lost) {
        this.inCare.giveBack(contents.queues.of(partition), [entry]);
      }
    }
    this.parts.tell();
  }
}

/** What their dead letters take on the disk. */
function lettersOf(claims: readonly Claim[]): number {
  let bytes = 0;
  for (const { entry, outcome } of claims) {
    if (outcome !== 'delivered') {
      bytes += bytesOnDisk(entry.bytes + 4 * (outcome.body?.length ?? 0));
    }
  }
  return bytes;
}
