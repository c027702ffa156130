import * as peers from '../peers.mjs';

/*
 * The vendors' own libraries against the same sink. `tuned`: with the batches, the delay and the room of ours, so that a
 * burst fits; else with their defaults.
 */
const BATCH = 500;
const ROOM = 100_000;
const INTERVAL_MS = 1_000;
const TUNED = { tuned: true };

export async function openTelemetry(url, { tuned } = TUNED) {
  const { OTLPLogExporter } = await import('@opentelemetry/exporter-logs-otlp-http');
  return peers.openTelemetry(new OTLPLogExporter({ url }), {
    ...(tuned && {
      maxQueueSize: ROOM,
      maxExportBatchSize: BATCH,
      scheduledDelayMillis: INTERVAL_MS,
    }),
  });
}

export const posthog = (url, { tuned } = TUNED) =>
  peers.posthog({
    host: new URL(url).origin,
    ...(tuned && {
      flushAt: BATCH,
      maxBatchSize: BATCH,
      maxQueueSize: ROOM,
      flushInterval: INTERVAL_MS,
    }),
  });

export const segment = (url, { tuned } = TUNED) =>
  peers.segment({
    host: new URL(url).origin,
    ...(tuned && { flushAt: BATCH, flushInterval: INTERVAL_MS }),
  });

export const amplitude = (url, { tuned } = TUNED) =>
  peers.amplitude({
    serverUrl: url,
    ...(tuned && {
      flushQueueSize: BATCH,
      flushIntervalMillis: INTERVAL_MS,
    }),
  });
