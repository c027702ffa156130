import { createHmac } from 'node:crypto';
import type { TrackingEvent } from '../core/event.js';
import type { Problems } from '../core/options.js';
import { checkedOptions, checkOneOf } from './encoder-options.js';
import type { EncodedBatch, Encoder } from './encoder.js';
import type { MetadataKey } from './json-parts.js';
import {
  checkMetadataKey,
  contextTexts,
  jsonArray,
  METADATA_KEY,
  payloadWithMetadata,
} from './json-parts.js';
import { onlyGroup } from './only-group.js';
import { PACKAGE_NAME, PACKAGE_VERSION } from './package-name.js';

export interface AtomEncoderOptions {
  /** The stream, or table, of an event. Default, and where it answers no text: the event's name. */
  readonly stream?: (event: TrackingEvent) => string;
  /** Signs what is sent: one key, or the key of each stream; a stream without a key is not signed. */
  readonly authKey?: string | ((stream: string) => string | undefined);
  /**
   * How events travel. `bulk`: many to the path `/bulk`. `post`: one a request. `get`: one a request, as base64 in the
   * URL, and by POST where the URL would be longer than 8,000 characters. Default: `bulk`.
   */
  readonly send?: 'bulk' | 'post' | 'get';
  /** What stands in the list of a bulk request: objects, or each object's JSON as a text. Default: `objects`. */
  readonly bulkItems?: 'objects' | 'texts';
  /**
   * Where an event's `id`, `name`, `timestamp` and `context` go inside its payload. `false` sends the payload alone.
   * Default: `_event`.
   */
  readonly metadata?: MetadataKey;
}

/** Limits of the service, as its own senders know them. */
const MAX_EVENTS = 2_000;
const MAX_BYTES = 512 * 1024;
/** Longer URLs are refused by many servers. */
const MAX_QUERY_LENGTH = 8_000;

const CONTENT_TYPE = 'application/json';
const HEADERS: Readonly<Record<string, string>> = {
  'x-ironsource-atom-sdk-type': PACKAGE_NAME,
  'x-ironsource-atom-sdk-version': PACKAGE_VERSION,
};

/**
 * The format of ironSource Atom: `{ table, data, auth?, bulk? }`, where `data` is a text of JSON and `auth` its
 * signature. Streams are kept apart.
 *
 * @throws TrackingError `invalid_options`
 */
export function atomEncoder(options: AtomEncoderOptions = {}): Encoder {
  const {
    stream = () => '',
    authKey,
    send = 'bulk',
    bulkItems = 'objects',
    metadata = METADATA_KEY,
  } = checkedOptions(
    'atomEncoder',
    options,
    ['stream', 'authKey', 'send', 'bulkItems', 'metadata'],
    checkAtomOptions,
  );

  const streamOf = (event: TrackingEvent): string => {
    const answer: unknown = stream(event);
    return typeof answer === 'string' && answer !== '' ? answer : event.name;
  };
  const request = (table: string, data: string, bulk: boolean): string => {
    const key = typeof authKey === 'function' ? authKey(table) : authKey;
    return JSON.stringify({
      table,
      data,
      ...(key ? { auth: atomSignature(key, data) } : {}),
      ...(bulk ? { bulk } : {}),
    });
  };
  const many = (table: string, items: readonly string[]): EncodedBatch => {
    const data = bulkItems === 'objects' ? jsonArray(items) : JSON.stringify(items);
    return posted(request(table, data, true), '/bulk');
  };
  const one = (table: string, items: readonly string[]): EncodedBatch => {
    const [item = ''] = items;
    const body = request(table, item, false);
    return send === 'get' ? inUrl(body) : posted(body);
  };

  return {
    name: 'atom',
    maxEvents: send === 'bulk' ? MAX_EVENTS : 1,
    maxBytes: MAX_BYTES,
    encode: (batch) => {
      const table = onlyGroup('stream', batch.map(streamOf));
      const contextJson = contextTexts();
      const items = batch.map((event) => payloadWithMetadata(event, metadata, contextJson));
      return (send === 'bulk' ? many : one)(table, items);
    },
    // Also when the app keeps other partitions apart: a request has one table.
    groupBy: streamOf,
    partitionBy: streamOf,
  };
}

/** Lower-case hex of the HMAC-SHA256 over exactly the text that is sent as `data`. */
export function atomSignature(key: string, data: string): string {
  return createHmac('sha256', key).update(data, 'utf8').digest('hex');
}

function posted(body: string, path?: string): EncodedBatch {
  return {
    contentType: CONTENT_TYPE,
    headers: HEADERS,
    body,
    ...(path === undefined ? {} : { path }),
  };
}

function inUrl(body: string): EncodedBatch {
  const data = encodeURIComponent(Buffer.from(body).toString('base64'));
  return data.length > MAX_QUERY_LENGTH
    ? posted(body)
    : {
        contentType: CONTENT_TYPE,
        headers: HEADERS,
        method: 'GET',
        path: `?data=${data}`,
      };
}

/** For the options of a backend that hands them on. */
export function checkAtomOptions(given: AtomEncoderOptions, problems: Problems): void {
  const { stream, authKey, send, bulkItems, metadata } = given;
  problems.optional(stream, (value) => {
    problems.function('stream', value);
  });
  problems.optional(authKey, (value) => {
    if (typeof value !== 'string' && typeof value !== 'function') {
      // Its value may be a secret.
      problems.addLine('authKey', 'expected a string or a function');
    }
  });
  problems.optional(send, (value) => {
    checkOneOf(problems, 'send', value, ['bulk', 'post', 'get']);
  });
  problems.optional(bulkItems, (value) => {
    checkOneOf(problems, 'bulkItems', value, ['objects', 'texts']);
  });
  problems.optional(metadata, (value) => {
    checkMetadataKey(problems, value);
  });
}
