import type { buildConnector, Dispatcher } from 'undici';
import { Agent } from 'undici';
import { TrackingError } from '../core/errors.js';
import type { JsonValue } from '../core/json.js';
import { errorMessage } from '../core/describe.js';
import { authHeaders, signatureHeaders } from './auth.js';
import type { HttpBackendOptions } from './http-options.js';
import type { HttpSettings } from './http-settings.js';
import { withoutSecrets } from './secrets.js';
import { shownUrl } from './shown-url.js';

const MAX_BYTES = 1024 * 1024;

/**
 * Reads JSON from the URL of the settings, with their headers, credentials and time.
 *
 * @throws TrackingError `timeout`; `unavailable` for anything else. Neither shows credentials.
 */
export async function getJson(
  settings: HttpSettings,
  { dispatcher, tls }: Pick<HttpBackendOptions, 'dispatcher' | 'tls'>,
): Promise<JsonValue> {
  const { timeoutMs, auth } = settings;
  const what = `GET ${shownUrl(settings.url)}`;
  const signal = AbortSignal.timeout(timeoutMs);
  const own =
    dispatcher === undefined
      ? new Agent(tls === undefined ? {} : { connect: tls as buildConnector.BuildOptions })
      : undefined;
  let signed: Readonly<Record<string, string>> = {};
  try {
    signed = await inTime(authHeaders(auth), signal);
    return await read(dispatcher ?? (own as Agent), settings, signed, signal);
  } catch (error) {
    if (signal.aborted) {
      throw new TrackingError('timeout', `${what} took longer than ${timeoutMs} ms`);
    }
    throw new TrackingError(
      'unavailable',
      `${what} failed: ${withoutSecrets(errorMessage(error), settings, signed)}`,
    );
  } finally {
    await own?.destroy();
  }
}

/** Rejects when the time is up, whether the work looks at it or not. */
function inTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(new Error('the time is up'));
    });
    work.then(resolve, reject);
  });
}

async function read(
  dispatcher: Dispatcher,
  settings: HttpSettings,
  signed: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<JsonValue> {
  const { url, auth, timeoutMs } = settings;
  const { statusCode, body } = await dispatcher.request({
    ...{ origin: url.origin, path: url.pathname + url.search, method: 'GET' },
    ...{ signal, headersTimeout: timeoutMs, bodyTimeout: timeoutMs },
    headers: {
      accept: 'application/json',
      ...settings.headers,
      ...signatureHeaders(auth, ''),
      ...signed,
    },
  });
  if (statusCode < 200 || statusCode >= 300) {
    body.on('error', () => undefined).destroy();
    throw new Error(`it answered HTTP ${statusCode}`);
  }
  const text = await wholeText(body);
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    throw new Error('it answered what is no JSON');
  }
}

async function wholeText(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) {
      throw new Error(`its answer is above ${MAX_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
