import type { JsonObject, JsonValue } from '../core/json.js';
import { isRecord } from '../core/options.js';
import { PACKAGE_NAME, PACKAGE_VERSION } from './package-name.js';

const LIBRARY: JsonObject = Object.freeze({
  name: PACKAGE_NAME,
  version: PACKAGE_VERSION,
});

/**
 * Segment's context of ours: everything that is in ours, and on top of it the fields that Segment knows by name. They
 * come from the `request` frame, or from the flat keys that Open edX's event-tracking uses:
 *
 * | Segment                    | `request`      | flat key                |
 * |----------------------------|----------------|-------------------------|
 * | `ip`                       | `ip`           | `ip`                    |
 * | `userAgent`                | `userAgent`    | `agent`                 |
 * | `page.path`                | `path`         | `path`                  |
 * | `page.referrer`            | `referer`      | `referer`               |
 * | `page.url`                 | `host`, `path` | `page`, `host` + `path` |
 * | `Google Analytics.clientId`|                | `client_id`             |
 */
export function segmentContext(context: JsonObject): JsonObject {
  const request = objectOf(context['request']);
  const from = (key: string, flatKey = key): string | undefined =>
    textOf(request[key]) ?? textOf(context[flatKey]);
  const path = from('path');
  const page = present({
    path,
    referrer: from('referer'),
    url: urlOf(context, from('host'), path),
  });
  const analytics = present({ clientId: textOf(context['client_id']) });
  return {
    library: LIBRARY,
    ...context,
    ...present({ ip: from('ip'), userAgent: from('userAgent', 'agent') }),
    ...unlessOwn(context, 'page', page),
    ...unlessOwn(context, 'Google Analytics', analytics),
  };
}

/** An app that speaks Segment's own words is left alone. */
function unlessOwn(context: JsonObject, key: string, value: JsonObject): JsonObject {
  return isRecord(context[key]) || Object.keys(value).length === 0 ? {} : { [key]: value };
}

function urlOf(context: JsonObject, host: string | undefined, path: string | undefined): string | undefined {
  return (
    textOf(context['page']) ??
    (host === undefined || path === undefined ? undefined : `https://${host}${path}`)
  );
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return isRecord(value) ? value : {};
}

function present(fields: Readonly<Record<string, string | undefined>>): JsonObject {
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
