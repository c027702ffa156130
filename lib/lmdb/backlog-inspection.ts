import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../core/clock.js';
import type { TrackingEvent } from '../core/event.js';
import type { DeadLetter } from '../delivery/dead-letter.js';
import { BacklogFile } from './backlog-file.js';
import { keysOf, placeId, rangeIdIn } from './backlog-keys.js';
import { replayLetters } from './backlog-replay.js';
import type { Chunk } from './chunk.js';
import { readChunk } from './chunk-reader.js';
import { eventLoopTurn } from './event-loop-turn.js';
import { letterHead, LmdbDeadLetters } from './lmdb-dead-letters.js';
import type { ProcessIdentity } from './process-identity.js';
import { hasEnded, ownIdentity } from './process-identity.js';
import type { StoredRange } from './range-record.js';
import { decodeRecord } from './range-record.js';
import { RangeReader } from './range-reader.js';

const FILE = 'backlog.mdb';
const PLACE_DIGITS = 16;
const CHUNKS_PER_SLICE = 1_000;
/** Whoever has not written its heartbeat for so long is taken for gone. */
const STALE_MS = 30_000;
const UNBOUNDED = { maxEvents: Infinity, maxBytes: Infinity };

/** Where events wait: a backend of a tracker. */
export interface Place {
  readonly id: string;
  readonly tracker: string;
  readonly path: string;
}

/** Who has events in its care. */
export type Holder = 'this process' | 'alive' | 'gone';

/** Some events that wait, accepted by one backlog of one process. */
export interface WaitingPart {
  readonly holder: Holder;
  /** Neither delivered nor dead, leased ones included. */
  readonly events: number;
  /** Of their JSON. */
  readonly bytes: number;
  /** Epoch milliseconds. */
  readonly oldestAt: number;
}

export interface WaitingEvent {
  readonly event: TrackingEvent;
  /** Epoch milliseconds. */
  readonly acceptedAt: number;
}

/** Looks into the file of backlogs from outside, while others work on it; takes part in nothing. */
export class BacklogInspection {
  private readonly self: ProcessIdentity = ownIdentity();

  private constructor(
    private readonly file: BacklogFile,
    private readonly clock: Clock,
  ) {}

  /**
   * @param folder the `path` of the backlogs
   * @throws TrackingError when the file cannot be used, Error when there is none
   */
  static open(folder: string, clock: Clock): BacklogInspection {
    if (!existsSync(folder)) {
      throw new Error(`${folder} does not exist`);
    }
    if (!statSync(folder).isDirectory()) {
      throw new Error(`${folder} is not a folder; give the path that lmdbBacklog() has`);
    }
    if (!existsSync(join(folder, FILE))) {
      throw new Error(`${folder} holds no ${FILE}; give the path that lmdbBacklog() has`);
    }
    return new BacklogInspection(openAs(folder, clock), clock);
  }

  /** Every place of which something is left, in the order of tracker and path. */
  places(): Place[] {
    this.file.refresh();
    const places = new Map<string, Place>();
    const add = ({ tracker, path }: { tracker: string; path: string }): void => {
      const id = placeId(tracker, path);
      places.set(id, { id, tracker, path });
    };
    for (const { record } of this.ranges()) {
      add(record);
    }
    for (const place of this.placesOfLetters()) {
      add(place);
    }
    return [...places.values()].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  }

  /** What waits at a place, in parts that are looked through when they are asked for. */
  async *waitingParts(place: Place): AsyncGenerator<WaitingPart> {
    for (const range of this.rangesOf(place)) {
      const holder = this.holderOf(range);
      for await (const chunks of this.chunks(range)) {
        let events = 0;
        let bytes = 0;
        let oldestAt = Infinity;
        for (const chunk of chunks) {
          events += chunk.left;
          bytes += chunk.bytes;
          oldestAt = Math.min(oldestAt, chunk.acceptedAt);
        }
        yield { holder, events, bytes, oldestAt };
      }
    }
  }

  /** The backlogs that are registered at a place, or that have left something there. */
  owners(place: Place): Holder[] {
    const owners = new Map<string, Holder>();
    for (const range of this.rangesOf(place)) {
      owners.set(range.record.holder, this.holderOf(range));
    }
    return [...owners.values()];
  }

  /** What waits at a place, each range in the order of acceptance. */
  async *waiting(place: Place): AsyncGenerator<WaitingEvent> {
    for (const range of this.rangesOf(place)) {
      for await (const chunks of this.chunks(range)) {
        for (const chunk of chunks) {
          yield* this.eventsOf(chunk);
        }
      }
    }
  }

  /** From the oldest death on. */
  async *deadLetters(place: Place): AsyncGenerator<DeadLetter> {
    for (const slice of this.lettersOf(place).slices()) {
      for (const { letter } of slice) {
        yield letter;
      }
      await eventLoopTurn();
    }
  }

  /**
   * Makes dead letters of a place wait for delivery again. Whoever delivers there, now or later, adopts them.
   *
   * @param replayed told how many more were replayed
   * @throws Error when the storage fails; what was told is replayed
   */
  async replay(
    place: Place,
    matches: (letter: DeadLetter) => boolean,
    replayed: (count: number) => void,
  ): Promise<void> {
    for (const slice of this.lettersOf(place).slices()) {
      const chosen = slice.filter(({ letter }) => matches(letter));
      await replayLetters(this.file, this.clock, place, chosen, replayed);
      await eventLoopTurn();
    }
  }

  close(): Promise<void> {
    return this.file.close();
  }

  private *ranges(): Generator<StoredRange> {
    for (const { key, value, version } of this.file.entries(keysOf('r'))) {
      const record = decodeRecord(value);
      if (record !== undefined) {
        yield { id: rangeIdIn(key), version, record };
      }
    }
  }

  private rangesOf({ tracker, path }: Omit<Place, 'id'>): StoredRange[] {
    this.file.refresh();
    return [...this.ranges()].filter(({ record }) => record.tracker === tracker && record.path === path);
  }

  private *eventsOf(chunk: Chunk): Generator<WaitingEvent> {
    const { acceptedAt } = chunk;
    const reader = readChunk(this.file, chunk);
    for (let index = 0; index < chunk.count; index++) {
      const event = reader?.isMarked(index) === false ? reader.soundEventOf(index) : undefined;
      if (event !== undefined) {
        yield { event, acceptedAt };
      }
    }
  }

  /** Slice by slice; those of which nothing is left are passed over. */
  private async *chunks({ id }: StoredRange): AsyncGenerator<Chunk[]> {
    this.file.refresh();
    const range = { id, chunks: 0, adopted: true, lost: false };
    const reader = new RangeReader(this.file, range, undefined);
    while (!reader.done) {
      reader.step(CHUNKS_PER_SLICE);
      if (reader.chunks.length > 0) {
        yield reader.chunks.splice(0);
      }
      await eventLoopTurn();
      this.file.refresh();
    }
  }

  private holderOf({ id, record }: StoredRange): Holder {
    const { holder, tracker, path } = record;
    const owner =
      holder === id ? record : this.rangesOf({ tracker, path }).find((range) => range.id === holder)?.record;
    if (owner === undefined || owner.closed === true || hasEnded(owner, this.self)) {
      return 'gone';
    }
    const { pid, startTime, bootId, pidNamespace } = this.self;
    if (
      owner.pid === pid &&
      owner.startTime === startTime &&
      owner.bootId === bootId &&
      owner.pidNamespace === pidNamespace
    ) {
      return 'this process';
    }
    return this.clock.now() - owner.beat < STALE_MS ? 'alive' : 'gone';
  }

  private lettersOf({ id, tracker, path }: Place): LmdbDeadLetters {
    const of = { tracker, path };
    return new LmdbDeadLetters(this.file, this.clock, id, of, UNBOUNDED);
  }

  /** By its first letter that can be read. */
  private *placesOfLetters(): Generator<Omit<Place, 'id'>> {
    const { end } = keysOf('d');
    let { start } = keysOf('d');
    for (;;) {
      const [letter] = this.file.entries({ start, end }, 1);
      if (letter === undefined) {
        return;
      }
      const head = readHead(letter.value);
      if (head === undefined) {
        start = Buffer.concat([letter.key, Buffer.alloc(1)]);
      } else {
        yield head;
        const id = letter.key.toString('hex', 1, 1 + PLACE_DIGITS / 2);
        start = keysOf('d', id).end;
      }
    }
  }
}

/** How a place is shown and typed. */
export function nameOf({ tracker, path }: Place): string {
  return `${tracker}:${path}`;
}

/** In one process, all who open a file have to agree about its durability. */
function openAs(folder: string, clock: Clock): BacklogFile {
  try {
    return BacklogFile.open(folder, 'process', clock);
  } catch {
    return BacklogFile.open(folder, 'power', clock);
  }
}

function readHead(letter: Buffer): Omit<Place, 'id'> | undefined {
  try {
    return letterHead(letter);
  } catch {
    return undefined;
  }
}
