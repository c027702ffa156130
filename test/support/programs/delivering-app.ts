/**
 * A process under load that is told to end: emits until SIGTERM, closes, and writes to standard output how many events
 * were accepted and which of them it could not deliver.
 */
import process from 'node:process';
import { createTracker } from '../../../lib/core.js';
import { httpBackend } from '../../../lib/http.js';

const [, , url = '', timeoutMs = '8000'] = process.argv;

const lost: unknown[] = [];
const tracker = createTracker<Record<string, object>>({
  backends: {
    http: httpBackend({
      url,
      batch: { maxEvents: 50, maxDelayMs: 20 },
      onDeadLetter: ({ events, reason }) => {
        lost.push(...events.map(({ data }) => [data['n'], reason]));
      },
    }),
  },
  onError: () => undefined,
});

let n = 0;
const load = setInterval(() => {
  for (let i = 0; i < 20; i++) {
    tracker.emit('order.created', { n: n++ });
  }
}, 2);

process.once('SIGTERM', () => {
  clearInterval(load);
  void tracker.close({ timeoutMs: Number(timeoutMs) }).then(() => {
    const { accepted } = tracker.stats().backends['http'] ?? {};
    process.stdout.write(JSON.stringify({ emitted: n, accepted, lost }));
  });
});
process.stderr.write('started\n');
