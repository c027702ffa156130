import { context, NAME, payload } from '../sample.mjs';

/*
 * The vendors' own libraries against the same sink, each with batches of the same size and room for as many events as
 * ours has by default; the rest are their defaults.
 */
const BATCH = 500;
const ROOM = 100_000;
const INTERVAL_MS = 1_000;

export async function openTelemetry(url) {
  const { BatchLogRecordProcessor, LoggerProvider } =
    await import('@opentelemetry/sdk-logs');
  const { OTLPLogExporter } =
    await import('@opentelemetry/exporter-logs-otlp-http');
  const processor = new BatchLogRecordProcessor({
    exporter: new OTLPLogExporter({ url, concurrencyLimit: ROOM }),
    maxQueueSize: ROOM,
    maxExportBatchSize: BATCH,
    scheduledDelayMillis: INTERVAL_MS,
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

export async function posthog(url) {
  const { PostHog } = await import('posthog-node');
  const client = new PostHog('phc_bench', {
    host: new URL(url).origin,
    flushAt: BATCH,
    maxBatchSize: BATCH,
    maxQueueSize: ROOM,
    flushInterval: INTERVAL_MS,
    disableCompression: true,
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

export async function segment(url) {
  const { Analytics } = await import('@segment/analytics-node');
  const client = new Analytics({
    writeKey: 'bench',
    host: new URL(url).origin,
    flushAt: BATCH,
    flushInterval: INTERVAL_MS,
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

export async function amplitude(url) {
  const { createInstance, Types } = await import('@amplitude/analytics-node');
  const client = createInstance();
  await client.init('bench', {
    serverUrl: url,
    flushQueueSize: BATCH,
    flushIntervalMillis: INTERVAL_MS,
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

export async function rudderStack(url) {
  const { default: Analytics } = await import('@rudderstack/rudder-sdk-node');
  const client = new Analytics('bench', {
    dataPlaneUrl: new URL(url).origin,
    flushAt: BATCH,
    flushInterval: INTERVAL_MS,
    maxInternalQueueSize: ROOM,
    gzip: false,
    errorHandler: () => undefined,
  });
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
    close: () => undefined,
  };
}
