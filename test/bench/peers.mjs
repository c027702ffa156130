import { context, NAME, payload, userFrame } from './sample.mjs';

/*
 * The vendors' own libraries, each with the options it is given. `emit` records event number `n` with a payload and a
 * context of its own (they have no scopes), `flush` and `close` are the library's own. Each loads only what it needs.
 */
const userOf = (n) => userFrame(n).user.id;

/** @param bounds options of the batch processor */
export async function openTelemetry(exporter, bounds) {
  const { BatchLogRecordProcessor, LoggerProvider } = await import('@opentelemetry/sdk-logs');
  const processor = new BatchLogRecordProcessor({ exporter, ...bounds });
  const provider = new LoggerProvider({ processors: [processor] });
  const logger = provider.getLogger('bench');
  return {
    emit: (n) =>
      logger.emit({ eventName: NAME, timestamp: Date.now(), body: payload(n), attributes: context(n) }),
    flush: () => provider.forceFlush(),
    close: () => provider.shutdown(),
  };
}

export async function posthog(options) {
  const { PostHog } = await import('posthog-node');
  const client = new PostHog('phc_bench', { disableCompression: true, ...options });
  // Without a listener it prints each failure.
  client.on('error', () => undefined);
  return {
    emit: (n) =>
      client.capture({
        distinctId: userOf(n),
        event: NAME,
        properties: { ...payload(n), context: context(n) },
      }),
    flush: () => client.flush(),
    close: () => client.shutdown(),
  };
}

export async function segment(options) {
  const { Analytics } = await import('@segment/analytics-node');
  const client = new Analytics({ writeKey: 'bench', ...options });
  client.on('error', () => undefined);
  return {
    emit: (n) =>
      client.track({ userId: userOf(n), event: NAME, properties: payload(n), context: context(n) }),
    flush: () => client.flush(),
    close: () => client.closeAndFlush({ timeout: 1_000 }),
  };
}

export async function amplitude(options) {
  const { createInstance, Types } = await import('@amplitude/analytics-node');
  const client = createInstance();
  await client.init('bench', { logLevel: Types.LogLevel.None, ...options }).promise;
  return {
    // It keeps a promise for each; nobody waits for it here.
    emit: (n) => void client.track(NAME, { ...payload(n), context: context(n) }, { user_id: userOf(n) }),
    flush: () => client.flush().promise,
    close: () => undefined,
  };
}
