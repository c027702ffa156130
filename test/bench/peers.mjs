import { context, NAME, payload } from './sample.mjs';

/*
 * The vendors' own libraries, each with the options it is given. `emit` records the event of the sample, `flush` and
 * `close` are the library's own. Each loads only what it needs.
 */

/** @param bounds options of the batch processor */
export async function openTelemetry(exporter, bounds) {
  const { BatchLogRecordProcessor, LoggerProvider } = await import('@opentelemetry/sdk-logs');
  const processor = new BatchLogRecordProcessor({ exporter, ...bounds });
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

export async function posthog(options) {
  const { PostHog } = await import('posthog-node');
  const client = new PostHog('phc_bench', {
    disableCompression: true,
    ...options,
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

export async function segment(options) {
  const { Analytics } = await import('@segment/analytics-node');
  const client = new Analytics({ writeKey: 'bench', ...options });
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

export async function amplitude(options) {
  const { createInstance, Types } = await import('@amplitude/analytics-node');
  const client = createInstance();
  const logLevel = Types.LogLevel.None;
  await client.init('bench', { logLevel, ...options }).promise;
  return {
    emit: (i) => {
      payload.amount = i;
      client.track(NAME, { ...payload, ...context }, { user_id: 'u_1' });
    },
    flush: () => client.flush().promise,
    close: () => undefined,
  };
}
