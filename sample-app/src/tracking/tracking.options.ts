import { join } from 'node:path';
import type { TrackingModuleOptions } from 'nestjs-tracking';
import { allow, createMetrics, loggerBackend, metricsBackend, redact } from 'nestjs-tracking';
import { httpBackend } from 'nestjs-tracking/http';
import { lmdbBacklog, lmdbMetricsStore } from 'nestjs-tracking/lmdb';
import { redisMetricsStore } from 'nestjs-tracking/redis';
import type { CollectorProcess } from '../collector/collector.process.js';
import type { RedisConnection } from '../redis/redis.connection.js';
import { OnAirProcessor } from '../runs/on-air.processor.js';
import type { Settings } from '../settings/settings.js';
import { DONATION_RULES } from '../stats/donation-counters.js';
import { SponsorBackend } from './sponsor.backend.js';

/** Where the events of this app go, and what they carry: all of it is in this file. */
export function trackingOptions(
  { dataDir }: Settings,
  { client }: RedisConnection,
  { url }: CollectorProcess,
): TrackingModuleOptions {
  // A file of this machine, or a server that several machines share. The module closes it after the last event.
  const metrics = createMetrics({
    store:
      client === undefined
        ? lmdbMetricsStore({ path: dataDir })
        : redisMetricsStore({ client, prefix: 'marathon:' }),
  });
  return {
    context: { app: 'donation-marathon' },
    // Every event, before any branch sees it. The class comes from Nest, with what it injects.
    processors: [OnAirProcessor],
    backends: {
      // One JSON line per event on standard output. Nobody needs to read e-mail addresses there.
      log: {
        processors: [redact({ paths: ['data.email'], action: 'mask' })],
        backends: { stdout: loggerBackend() },
      },
      // A sponsor shows donations on a wall, and must not learn who gave them. It fails at times: what it loses is
      // counted under `sponsor/wall` (GET /admin/stats), told on standard error, and nobody else notices.
      sponsor: {
        processors: [
          allow(['donation.received', 'goal.reached']),
          redact({ paths: ['context.user', 'context.session'] }),
        ],
        backends: { wall: SponsorBackend },
      },
      // Another process. While it is away, and when this one dies, events wait on the disk.
      ...(url === undefined
        ? {}
        : {
            collector: httpBackend({
              url,
              backlog: lmdbBacklog({ path: join(dataDir, 'backlog') }),
              batch: { maxDelayMs: 500 },
            }),
          }),
      // What GET /stats answers. Written soon, so that who donates and then looks sees it.
      counters: metricsBackend({
        metrics,
        rules: DONATION_RULES,
        batch: { maxDelayMs: 100 },
      }),
    },
    // What `@InjectMetrics()` injects.
    metrics,
    request: {
      // Events wait for the end of their request and then tell how it went: `request.status`, `request.durationMs`.
      hold: true,
      // Who it is: the guards put `user` and `session` on the request, where the defaults find them.
    },
  };
}
