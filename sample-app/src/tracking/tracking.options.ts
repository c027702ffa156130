import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { MetricsRule, TrackingEvent, TrackingModuleOptions } from 'nestjs-tracking';
import { allow, createMetrics, loggerBackend, metricsBackend, redact } from 'nestjs-tracking';
import { httpBackend } from 'nestjs-tracking/http';
import { lmdbBacklog, lmdbMetricsStore } from 'nestjs-tracking/lmdb';
import { redisMetricsStore } from 'nestjs-tracking/redis';
import type { Settings } from '../settings.js';
import { OnAirProcessor } from './on-air.processor.js';
import { SponsorBackend } from './sponsor.backend.js';

/** Whose counters those of all runs together are; the others are the runs' own. */
export const ALL_RUNS = 'all';

const event = 'donation.received';
const donation = (received: { readonly data: unknown }) =>
  received.data as { readonly run: string; readonly amountCents: number };
const subject = (received: TrackingEvent) => [ALL_RUNS, donation(received).run];

/** What is counted. The code that takes donations knows nothing of it. */
const rules: readonly MetricsRule[] = [
  { event, subject, metric: 'donations' },
  { event, subject, metric: 'amountCents', by: (received) => donation(received).amountCents },
  // However often a donor gives, it is one donor.
  { event, subject, metric: 'donors', unique: ({ context }) => (context['user'] as { id: string }).id },
];

/** Where the events of this app go, and what they carry. */
export function trackingOptions({ dataDir, redisUrl, collectorUrl }: Settings): TrackingModuleOptions {
  // One machine counts in a file, several share a Redis server. The module closes either after the last event.
  const store = redisUrl
    ? redisMetricsStore({ client: () => new Redis(redisUrl, { maxRetriesPerRequest: 1 }) })
    : lmdbMetricsStore({ path: dataDir });
  const metrics = createMetrics({ store });
  // Events that the collector has not taken wait on the disk. They are still there when this process was killed.
  const backlog = lmdbBacklog({ path: join(dataDir, 'backlog') });
  return {
    context: { app: 'donation-marathon' },
    // Sees every event first. Nest makes the instance, with what the class injects.
    processors: [OnAirProcessor],
    backends: {
      // Every event, for people and programs that need no e-mail addresses. The log is standard output.
      events: {
        processors: [redact({ paths: ['data.email'], action: 'mask' })],
        backends: {
          log: loggerBackend(),
          ...(collectorUrl && { collector: httpBackend({ url: collectorUrl, backlog }) }),
        },
      },
      // A sponsor shows donations on a wall, and must not learn who gave them.
      sponsor: {
        processors: [allow(['donation.received']), redact({ paths: ['context.user', 'context.session'] })],
        backends: { wall: SponsorBackend },
      },
      // What GET /stats reads.
      counters: metricsBackend({ metrics, rules }),
    },
    metrics,
    // Events wait for the end of their request, and then carry `request.status` and `request.durationMs`.
    request: { hold: true },
  };
}
