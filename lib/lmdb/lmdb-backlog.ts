import type { TrackingEvent } from '../core/event.js';
import type { MaybePromise } from '../core/processor.js';
import type { Backlog, BacklogHost, BacklogStats, LeaseRequest } from '../delivery/backlog.js';
import type { DeadLetter, DeadLetterFilter } from '../delivery/dead-letter.js';
import type { LmdbBacklogOptions, LmdbBacklogSettings } from './lmdb-backlog-options.js';
import { lmdbBacklogSettings } from './lmdb-backlog-options.js';
import type { LmdbLease } from './lmdb-lease.js';
import { OpenBacklog } from './open-backlog.js';

/**
 * A backlog in an embedded database: what is accepted outlives the process. Several backends and several processes may
 * share one path; each delivers what it accepted, and what others left.
 *
 * @throws TrackingError `invalid_options` with every problem. Opening it, at boot, throws the same when the file is
 * damaged or on a network file system.
 */
export function lmdbBacklog(options: LmdbBacklogOptions): Backlog {
  return new LmdbBacklog(lmdbBacklogSettings(options));
}

class LmdbBacklog implements Backlog {
  readonly lasting: boolean;
  private current: OpenBacklog | undefined;
  private listener: () => void = () => undefined;

  constructor(private readonly settings: LmdbBacklogSettings) {
    this.lasting = settings.lasting;
  }

  open(host: BacklogHost): void {
    if (this.current !== undefined) {
      throw new TypeError('an lmdbBacklog() belongs to one backend only');
    }
    this.current = new OpenBacklog(this.settings, host, () => {
      this.listener();
    });
  }

  append(events: readonly TrackingEvent[], wait = false, unheard = false): MaybePromise<number> {
    return this.opened.acceptance.append(events, wait, unheard);
  }

  lease(request: LeaseRequest): Promise<LmdbLease | undefined> {
    return this.opened.lease(request);
  }

  availableIn(request: LeaseRequest): number | undefined {
    return this.opened.availableIn(request);
  }

  onAvailable(listener: () => void): void {
    this.listener = listener;
  }

  mark(): number {
    return this.opened.parts.contents.mark;
  }

  isSettled(mark: number): boolean {
    return (this.opened.parts.contents.own.oldestSeq ?? Infinity) >= mark;
  }

  stats(): BacklogStats {
    const { contents, host } = this.opened.parts;
    const { accepted, delivered, dead, depth, bytes, oldestAt } = contents;
    return {
      ...{ accepted, delivered, dead, depth, bytes },
      ...(oldestAt === undefined ? {} : { oldestMs: Math.max(0, host.time() - oldestAt) }),
    };
  }

  deadLetters(filter?: DeadLetterFilter): AsyncIterable<DeadLetter> {
    return this.opened.deadLetters(filter);
  }

  replay(filter?: DeadLetterFilter): Promise<number> {
    return this.opened.replay(filter);
  }

  async close(): Promise<void> {
    await this.current?.close();
  }

  private get opened(): OpenBacklog {
    if (this.current === undefined) {
      throw new TypeError('the backlog is not open: it belongs to no backend');
    }
    return this.current;
  }
}
