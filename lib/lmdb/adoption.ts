import type { TimerHandle } from '../core/clock.js';
import type { BacklogParts } from './backlog-parts.js';
import { keysOf } from './backlog-keys.js';
import type { EventRange } from './chunk.js';
import { eventLoopTurn } from './event-loop-turn.js';
import { HEARTBEAT_MS } from './liveness.js';
import type { Estate, Ownership } from './ownership.js';
import type { StoredRange } from './range-record.js';
import { RangeReader } from './range-reader.js';

/** Chunks that are looked at in one slice: without partitions their keys are enough. */
const SLICE = { keys: 5_000, values: 10 };
/** Events that are taken over in one slice. */
const EVENTS_PER_SLICE = 20_000;
/** Whoever is to open a backlog has opened it by then. */
const LEFT_BEHIND_MS = 60_000;

/** Looks after what others left: when the backlog opens, and with every heartbeat. */
export class Adoption {
  private timer: TimerHandle;
  private closed = false;
  private readonly openedAtMs: number;
  private readonly reported = new Set<string>();
  /** Resolves when nothing is under way. */
  private work: Promise<void> = Promise.resolve();

  constructor(private readonly parts: BacklogParts) {
    this.openedAtMs = parts.host.clock.monotonicMs();
  }

  /**
   * Finds what is there. What can be looked through at once counts from now on; the promise resolves when it is ours, or
   * was given up because another process was faster.
   */
  start(): Promise<void> {
    const estates = this.parts.ownership.estates(this.parts.ownership.survey());
    // The registration of this backlog comes first: an adopter that nobody knows can be adopted from.
    const registered = this.parts.commits.write(() => undefined);
    const work = estates.map((estate) => {
      const found = estate.ranges.map((range) => this.readerOf(range));
      for (const reader of found) {
        reader.step(this.slice);
        if (reader.done && reader.events <= EVENTS_PER_SLICE) {
          this.load(reader);
        }
      }
      return { estate, found };
    });
    const ready = registered.then(async () => {
      for (const { estate, found } of work) {
        await this.take(estate, found);
      }
    });
    this.work = ready.catch((error: unknown) => {
      this.parts.failed(error);
      for (const { found } of work) {
        this.giveUp(found);
      }
    });
    this.arm();
    return this.work;
  }

  async close(): Promise<void> {
    this.closed = true;
    this.parts.host.clock.clearTimeout(this.timer);
    await this.work;
  }

  private get slice(): number {
    return this.parts.host.partitionOf === undefined ? SLICE.keys : SLICE.values;
  }

  private arm(): void {
    this.timer = this.parts.host.clock.setTimeout(() => {
      this.work = this.beat().catch((error: unknown) => {
        this.parts.failed(error);
      });
      void this.work.then(() => {
        if (!this.closed) {
          this.arm();
        }
      });
    }, HEARTBEAT_MS);
  }

  private async beat(): Promise<void> {
    const { ownership, commits } = this.parts;
    ownership.wantBeat();
    await commits.write(() => undefined);
    const survey = ownership.survey();
    for (const estate of ownership.estates(survey)) {
      if (this.closed) {
        return;
      }
      await this.take(
        estate,
        estate.ranges.map((range) => this.readerOf(range)),
      );
    }
    this.lookForLeftBehind(survey);
  }

  private async take(estate: Estate, found: readonly RangeReader[]): Promise<void> {
    const { file, ownership } = this.parts;
    if (file.space().bytes < 0) {
      throw file.fullError();
    }
    const holder = ownership.range;
    if (!(await ownership.adopt(estate))) {
      this.giveUp(found);
      return;
    }
    for (const reader of found) {
      if (!reader.loaded && (await this.readOn(reader))) {
        await this.loadOn(reader, holder);
      }
      if (reader.loaded && reader.range.chunks === 0) {
        this.drop(reader.range);
      }
    }
  }

  /** Looks through the rest of a range; answers whether it came to the end. */
  private async readOn(reader: RangeReader): Promise<boolean> {
    while (!reader.done) {
      await eventLoopTurn();
      if (this.closed) {
        return false;
      }
      reader.step(this.slice);
    }
    return true;
  }

  /** Nothing is left of a range. */
  drop(range: EventRange): void {
    const { commits, ownership } = this.parts;
    if (!range.lost) {
      range.lost = true;
      commits.push({
        write: ({ writes }) => {
          ownership.drop(writes, range);
        },
      });
    }
  }

  private readerOf({ id }: StoredRange): RangeReader {
    const { file, host } = this.parts;
    const range = { id, chunks: 0, adopted: true, lost: false };
    return new RangeReader(file, range, host.partitionOf);
  }

  private load(reader: RangeReader): void {
    const { contents } = this.parts;
    contents.number(reader.chunks);
    contents.load(reader.chunks, reader.partitions);
    reader.loaded = true;
    this.parts.tell();
  }

  /** Takes a range over, slice by slice, unless everything is lost meanwhile. */
  private async loadOn(reader: RangeReader, holder: EventRange): Promise<void> {
    const { contents, ownership } = this.parts;
    contents.number(reader.chunks);
    for (const slice of reader.slices(EVENTS_PER_SLICE)) {
      await eventLoopTurn();
      if (this.closed || holder !== ownership.range) {
        return;
      }
      contents.load(slice, reader.partitions);
      this.parts.tell();
    }
    reader.loaded = true;
  }

  private giveUp(found: readonly RangeReader[]): void {
    for (const { range } of found) {
      this.parts.contents.lose(range);
    }
  }

  /** Events of a path that no backend has any more: somebody has to know. */
  private lookForLeftBehind({ ranges, gone }: ReturnType<Ownership['survey']>): void {
    const { host, file, ownership } = this.parts;
    if (host.clock.monotonicMs() - this.openedAtMs < LEFT_BEHIND_MS) {
      return;
    }
    const ours = ranges.filter(({ record }) => record.tracker === host.tracker);
    const speaker = ours.find(({ id }) => !gone.has(id))?.id;
    for (const { id, record } of ours) {
      const { path, holder } = record;
      const [key] = file.keys(keysOf('c', id), 1);
      if (
        path !== host.path &&
        speaker === ownership.range.id &&
        gone.has(holder) &&
        key !== undefined &&
        !this.reported.has(path)
      ) {
        this.reported.add(path);
        host.report({
          code: 'events_left_behind',
          message: `${file.path} holds undelivered events of ${path}, which is no backend of this tracker any more; give one that path again, or drain them with the command line`,
        });
      }
    }
  }
}
