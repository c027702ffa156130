import { createTracker } from '../../../dist/core.js';
import { httpBackend } from '../../../dist/http.js';
import { inner, NAME, outer, payload } from '../sample.mjs';

export function ours(url, options = {}) {
  const tracker = createTracker({
    backends: { backend: httpBackend({ url, ...options }) },
    onError: (report) => {
      console.error(report.code, report.message);
    },
  });
  return {
    emit: (i) => {
      payload.amount = i;
      tracker.emit(NAME, payload);
    },
    inside: (work) => tracker.context('request', outer, () => tracker.context('user', inner, work)),
    flush: async () => {
      const { settled } = await tracker.flush({ timeoutMs: 60_000 });
      if (!settled) {
        throw new Error(JSON.stringify(tracker.stats()));
      }
    },
    /** For the server that is dead. */
    stats: () => tracker.stats().backends.backend,
    close: () => tracker.close(),
  };
}
