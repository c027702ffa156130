import type { BackendStats } from '../../lib/core/stats.js';
import type { LostBatch } from '../../lib/delivery/lost-events.js';
import type { HttpBackend } from '../../lib/http/http-backend.js';
import { httpBackend } from '../../lib/http/http-backend.js';
import type { HttpBackendOptions } from '../../lib/http/http-options.js';
import type { BackendApp } from './backend-app.js';
import { backendApp, QUICK } from './backend-app.js';

/** What hangs is given up soon. */
const TIMEOUT_MS = 500;

export interface DeliveringApp extends BackendApp {
  readonly backend: HttpBackend;
  readonly lost: LostBatch[];
  /** Resolves when the counts are as the test wants them; rejects after 10 s with what they are. */
  until(is: (stats: BackendStats) => boolean): Promise<BackendStats>;
  /** Resolves when everything is delivered or dead, and what is dead was handed over. */
  settled(): Promise<BackendStats>;
}

/** A tracker with one HTTP backend, in real time. */
export function deliveringApp(options: HttpBackendOptions): DeliveringApp {
  const lost: LostBatch[] = [];
  const backend = httpBackend({
    onDeadLetter: (batch) => {
      lost.push(batch);
    },
    timeoutMs: TIMEOUT_MS,
    ...options,
    batch: { ...QUICK.batch, ...options.batch },
    retry: { ...QUICK.retry, ...options.retry },
  });
  const app = backendApp(backend);
  const { stats } = app;
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
    ...{ ...app, backend, lost, until },
    settled: () =>
      until(
        ({ accepted, depth, dead }) =>
          accepted > 0 && depth === 0 && lost.flatMap(({ events }) => events).length === dead,
      ),
  };
}
