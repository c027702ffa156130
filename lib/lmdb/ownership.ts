import { randomBytes } from 'node:crypto';
import type { BacklogHost } from '../delivery/backlog.js';
import type { BacklogFile, Condition, Writes } from './backlog-file.js';
import { keysOf, rangeIdIn, rangeKey } from './backlog-keys.js';
import type { EventRange } from './chunk.js';
import { Liveness } from './liveness.js';
import type { ProcessIdentity } from './process-identity.js';
import type { StoredRange } from './range-record.js';
import { decodeRecord, encodeRecord } from './range-record.js';

/** Ranges that can be adopted in one step, under one condition. */
export interface Estate {
  readonly condition: Condition;
  readonly ranges: readonly StoredRange[];
}

/**
 * Who holds which events.
 *
 * Invariants
 * - A backlog leases only events of ranges that it holds; so leases need not be stored.
 * - Adoption is one conditional write: its condition is that the record of the one who is gone has not changed. A
 *   heartbeat changes it; so does another adopter.
 * - Every write of a backlog has the condition that nobody adopted its range. One that was suspended for too long
 *   notices it at its next write, which stores nothing, and goes on under a new name.
 */
export class Ownership {
  range: EventRange = newRange();
  private nextChunk = 0;
  private version: number | undefined = undefined;
  private beatDue = true;
  private readonly liveness: Liveness;

  constructor(
    private readonly file: BacklogFile,
    private readonly host: BacklogHost,
    private readonly place: string,
    private readonly self: ProcessIdentity,
  ) {
    this.liveness = new Liveness(host.clock, self);
  }

  get condition(): Condition {
    return { key: rangeKey(this.place, this.range.id), version: this.version };
  }

  chunkSeq(): number {
    return this.nextChunk++;
  }

  wantBeat(): void {
    this.beatDue = true;
  }

  /** Begins a batch: writes the heartbeat when it is due. Answers what to call when the batch is stored. */
  beat(writes: Writes): () => void {
    if (!this.beatDue) {
      return () => undefined;
    }
    const version = (this.version ?? 0) + 1;
    this.put(writes, version);
    return () => {
      this.version = version;
      this.beatDue = false;
    };
  }

  /** The range was adopted by somebody else. */
  renew(): void {
    this.range = newRange();
    this.nextChunk = 0;
    this.version = undefined;
    this.beatDue = true;
  }

  /** The last write of this backlog; `empty`: nothing of its range is left. */
  end(writes: Writes, empty: boolean): void {
    const { key } = this.condition;
    if (empty) {
      writes.remove(key);
    } else {
      this.put(writes, (this.version ?? 0) + 1, true);
    }
  }

  /** Every range in the file, and which of their backlogs are gone. To be asked every `HEARTBEAT_MS`. */
  survey(): { ranges: StoredRange[]; gone: Set<string> } {
    this.file.refresh();
    const ranges: StoredRange[] = [];
    for (const { key, value, version } of this.file.entries(keysOf('r'))) {
      const record = decodeRecord(value);
      if (record !== undefined) {
        ranges.push({ id: rangeIdIn(key), version, record });
      }
    }
    return { ranges, gone: this.liveness.gone(ranges) };
  }

  /** What can be adopted of this place. */
  estates({ ranges, gone }: ReturnType<Ownership['survey']>): readonly Estate[] {
    const { tracker, path } = this.host;
    const here = ranges.filter(({ record }) => record.tracker === tracker && record.path === path);
    const byId = new Map(here.map((range) => [range.id, range]));
    const estates = new Map<string, Estate & { ranges: StoredRange[] }>();
    for (const range of here) {
      const { holder } = range.record;
      if (holder === this.range.id) {
        continue;
      }
      const owner = byId.get(holder);
      // Of a holder that was adopted itself, or has ended in order, only what it held is left.
      const single = owner?.record.holder !== holder;
      if (single || gone.has(holder)) {
        const { id, version } = single ? range : owner;
        const estate = estates.get(id) ?? {
          condition: { key: rangeKey(this.place, id), version },
          ranges: [],
        };
        estate.ranges.push(range);
        estates.set(id, estate);
      }
    }
    return [...estates.values()];
  }

  /** Whether it is ours now. */
  adopt({ condition, ranges }: Estate): Promise<boolean> {
    return this.file.commit(condition, (writes) => {
      for (const { id, version, record } of ranges) {
        writes.put(rangeKey(this.place, id), encodeRecord({ ...record, holder: this.range.id }), version + 1);
      }
    });
  }

  /** Nothing is left of a range that was found. */
  drop(writes: Writes, { id }: EventRange): void {
    writes.remove(rangeKey(this.place, id));
    for (const key of this.file.keys(keysOf('m', id))) {
      writes.remove(key);
    }
  }

  private put(writes: Writes, version: number, closed = false): void {
    const { tracker, path, clock } = this.host;
    writes.put(
      this.condition.key,
      encodeRecord({
        ...{ tracker, path, holder: this.range.id, beat: clock.now() },
        ...this.self,
        ...(closed ? { closed } : {}),
      }),
      version,
    );
  }
}

function newRange(): EventRange {
  return {
    id: randomBytes(8).toString('hex'),
    ...{ chunks: 0, adopted: false, lost: false },
  };
}
