import { ContextStore } from '../../lib/core/context/context-store.js';
import { createTracker } from '../../lib/core/tracker/create-tracker.js';
import type { TrackingReport } from '../../lib/core/report.js';
import type { BackendStats } from '../../lib/core/topology/stats.js';
import type { LostBatch } from '../../lib/delivery/lost-events.js';
import type { HttpBackend } from '../../lib/http/http-backend.js';
import { httpBackend } from '../../lib/http/http-backend.js';
import type { HttpBackendOptions } from '../../lib/http/http-options.js';
import type { AnyTracker } from './recording.js';

/** Quick enough for tests on real sockets. */
const QUICK = {
  batch: { maxDelayMs: 5 },
  retry: { baseMs: 20, maxDelayMs: 100 },
  timeoutMs: 500,
} as const;

export interface DeliveringApp {
  readonly tracker: AnyTracker;
  readonly backend: HttpBackend;
  readonly reports: TrackingReport[];
  readonly lost: LostBatch[];
  stats(): BackendStats;
  /** Resolves when the counts are as the test wants them; rejects after 10 s with what they are. */
  until(is: (stats: BackendStats) => boolean): Promise<BackendStats>;
  /** Resolves when everything is delivered or dead, and what is dead was handed over. */
  settled(): Promise<BackendStats>;
  close(): Promise<void>;
}

/** A tracker with one HTTP backend, in real time. */
export function deliveringApp(options: HttpBackendOptions): DeliveringApp {
  const lost: LostBatch[] = [];
  const reports: TrackingReport[] = [];
  const backend = httpBackend({
    onDeadLetter: (batch) => {
      lost.push(batch);
    },
    ...QUICK,
    ...options,
    batch: { ...QUICK.batch, ...options.batch },
    retry: { ...QUICK.retry, ...options.retry },
  });
  const tracker = createTracker<Record<string, object | null | undefined>>({
    backends: { http: backend },
    contextStore: new ContextStore(),
    onError: (report) => {
      reports.push(report);
    },
  });
  const stats = () => tracker.stats().backends['http'] as BackendStats;
  const until: DeliveringApp['until'] = (is) =>
    new Promise((resolve, reject) => {
      const started = Date.now();
      const look = () => {
        if (is(stats())) {
          resolve(stats());
        } else if (Date.now() - started > 10_000) {
          reject(new Error(JSON.stringify(stats())));
        } else {
          setTimeout(look, 5);
        }
      };
      look();
    });
  return {
    ...{ tracker, backend, reports, lost, stats, until },
    settled: () =>
      until(
        ({ accepted, depth, dead }) =>
          accepted > 0 &&
          depth === 0 &&
          lost.flatMap(({ events }) => events).length === dead,
      ),
    close: async () => {
      await tracker.close({ timeoutMs: 2_000 });
    },
  };
}
