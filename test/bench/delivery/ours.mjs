import { createTracker } from '../../../dist/core.js';
import { httpBackend } from '../../../dist/http.js';
import { NAME, payload, requestFrame, userFrame } from '../sample.mjs';

export function ours(url, options = {}) {
  const tracker = createTracker({
    backends: { backend: httpBackend({ url, ...options }) },
    onError: (report) => {
      console.error(report.code, report.message);
    },
  });
  return {
    emit: (i) => tracker.emit(NAME, payload(i)),
    inside: (work) =>
      tracker.context('request', requestFrame(0), () => tracker.context('user', userFrame(0), work)),
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
