import type { TrackingEvent } from '../../lib/core/event.js';
import { storedEvent } from '../../lib/core/event.js';
import type { TrackingReport } from '../../lib/core/report.js';
import type { Backlog, BacklogHost, Lease } from '../../lib/delivery/backlog.js';
import { steadyTime } from '../../lib/delivery/steady-time.js';
import type { LmdbBacklogOptions } from '../../lib/lmdb.js';
import { lmdbBacklog } from '../../lib/lmdb.js';
import type { FakeClock } from '../../lib/testing.js';
import { fakeClock } from '../../lib/testing.js';

/** A backlog in this process, as the loop of a backend would hold it. */
export class OpenedBacklog {
  readonly reports: TrackingReport[] = [];
  readonly lost: string[] = [];
  readonly clock: FakeClock;
  readonly backlog: Backlog;

  constructor(options: LmdbBacklogOptions, host: Partial<BacklogHost> & { readonly clock?: FakeClock } = {}) {
    this.clock = host.clock ?? fakeClock(Date.now());
    this.backlog = lmdbBacklog(options);
    this.backlog.open({
      ...{ tracker: 'test', path: 'out', time: steadyTime(this.clock) },
      ...{ batch: { maxEvents: 100, maxBytes: 1_000_000 } },
      blockTimeoutMs: 1_000,
      report: (report) => {
        this.reports.push(report);
      },
      lost: (events) => {
        this.lost.push(...events.map(({ id }) => id));
      },
      ...host,
      clock: this.clock,
    });
  }

  lease(maxEvents = 1_000): Promise<Lease | undefined> {
    return this.backlog.lease({
      ...{ maxEvents, maxBytes: 100_000_000, maxDelayMs: 0 },
    });
  }

  /** Delivers all there is; answers the ids. */
  async drain(): Promise<string[]> {
    const ids: string[] = [];
    for (let lease = await this.lease(); lease !== undefined; lease = await this.lease()) {
      ids.push(...lease.events.map(({ event }) => event.id));
      await lease.settle([{ events: lease.events, outcome: 'delivered' }]);
    }
    return ids;
  }

  close(): Promise<void> {
    return this.backlog.close();
  }
}

let number = 0;

export function someEvents(count: number, bytes = 200): TrackingEvent[] {
  return Array.from({ length: count }, () =>
    storedEvent(
      `{"id":"e-${number++}","name":"n","timestamp":"2026-01-01T00:00:00.000Z","data":{"text":"${'x'.repeat(bytes)}"},"context":{}}`,
    ),
  );
}
