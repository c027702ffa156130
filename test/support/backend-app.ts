import { ContextStore } from '../../lib/core/context-store.js';
import { createTracker } from '../../lib/core/create-tracker.js';
import type { TrackingReport } from '../../lib/core/report.js';
import type { BackendStats } from '../../lib/core/stats.js';
import type { HttpBackend } from '../../lib/http/http-backend.js';
import type { AnyTracker } from './recording.js';

export interface BackendApp {
  readonly tracker: AnyTracker;
  readonly reports: TrackingReport[];
  stats(): BackendStats;
  close(): Promise<void>;
}

/** Quick enough for tests on real sockets. */
export const QUICK = {
  batch: { maxDelayMs: 5 },
  retry: { baseMs: 20, maxDelayMs: 100 },
  timeoutMs: 2_000,
} as const;

/** A tracker with one ready-made backend, in real time. */
export function backendApp(backend: Pick<HttpBackend, 'send' | 'stats'>): BackendApp {
  const reports: TrackingReport[] = [];
  const tracker = createTracker<Record<string, object | null | undefined>>({
    backends: { http: backend },
    contextStore: new ContextStore(),
    onError: (report) => {
      reports.push(report);
    },
  });
  return {
    ...{ tracker, reports },
    stats: () => tracker.stats().backends['http'] as BackendStats,
    close: async () => {
      await tracker.close({ timeoutMs: 2_000 });
    },
  };
}
