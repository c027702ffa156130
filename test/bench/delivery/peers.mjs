import { context, NAME, payload } from '../sample.mjs';

/*
 * The vendors' own libraries against the same sink. `tuned`: with the batches, the delay and the room of ours, so that a
 * burst fits; else with their defaults.
 */
const BATCH = 500;
const ROOM = 100_000;
const INTERVAL_MS = 1_000;
const TUNED = { tuned: true };

export async function openTelemetry(url, { tuned } = TUNED) {
  const { BatchLogRecordProcessor, LoggerProvider } =
    await import('@opentelemetry/sdk-logs');
  const { OTLPLogExporter } =
    await import('@opentelemetry/exporter-logs-otlp-http');
  const processor = new BatchLogRecordProcessor({
    exporter: new OTLPLogExporter({ url }),
    ...(tuned && {
      maxQueueSize: ROOM,
      maxExportBatchSize: BATCH,
      scheduledDelayMillis: INTERVAL_MS,
    }),
  });
  const provider = new LoggerProvider({ processors: [processor] });
  const logger = provider.getLogger('bench');
  return {
    emit: (i) => {
      payload.amount = i;
      logger.emit({
        eventName: NAME,
        timestamp: Date.now(),
        body: { ...payload },
        attributes: context,
      });
    },
    flush: () => provider.forceFlush(),
    close: () => provider.shutdown(),
  };
}

export async function posthog(url, { tuned } = TUNED) {
  const { PostHog } = await import('posthog-node');
  const client = new PostHog('phc_bench', {
    host: new URL(url).origin,
    disableCompression: true,
    ...(tuned && {
      flushAt: BATCH,
      maxBatchSize: BATCH,
      maxQueueSize: ROOM,
      flushInterval: INTERVAL_MS,
    }),
  });
  // Without a listener it prints each failure.
  client.on('error', () => undefined);
  return {
    emit: (i) => {
      payload.amount = i;
      client.capture({
        distinctId: 'u_1',
        event: NAME,
        properties: { ...payload, ...context },
      });
    },
    flush: () => client.flush(),
    close: () => client.shutdown(),
  };
}

export async function segment(url, { tuned } = TUNED) {
  const { Analytics } = await import('@segment/analytics-node');
  const client = new Analytics({
    writeKey: 'bench',
    host: new URL(url).origin,
    ...(tuned && { flushAt: BATCH, flushInterval: INTERVAL_MS }),
  });
  client.on('error', () => undefined);
  return {
    emit: (i) => {
      payload.amount = i;
      client.track({
        userId: 'u_1',
        event: NAME,
        properties: { ...payload },
        context,
      });
    },
    flush: () => client.flush(),
    close: () => client.closeAndFlush({ timeout: 1_000 }),
  };
}

export async function amplitude(url, { tuned } = TUNED) {
  const { createInstance, Types } = await import('@amplitude/analytics-node');
  const client = createInstance();
  await client.init('bench', {
    serverUrl: url,
    ...(tuned && {
      flushQueueSize: BATCH,
      flushIntervalMillis: INTERVAL_MS,
    }),
    logLevel: Types.LogLevel.None,
  }).promise;
  return {
    emit: (i) => {
      payload.amount = i;
      client.track(NAME, { ...payload, ...context }, { user_id: 'u_1' });
    },
    flush: () => client.flush().promise,
    close: () => undefined,
  };
}
