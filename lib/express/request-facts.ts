import type { JsonObject } from '../core/json.js';
import type { IncomingRequest } from './incoming-request.js';
import type { RequestSource } from './request-options.js';

/** No fact about a request is longer: headers are the client's to choose. */
const MAX_LENGTH = 512;
/** A name and a password in an absolute URL. */
const USER_INFO = /^([a-z][a-z\d+.-]*:\/\/)[^/]*@/i;

/**
 * What a request shows of itself, without what may be secret: paths and referers end before the query string,
 * and carry no credentials.
 *
 * @param raw Node's own request
 * @param source the framework's: it knows the route and, if it trusts a proxy, the client's address
 * @param route the source's, where it was read before: Express changes the prototype of each request, and V8 then has
 *   nothing cached of where its properties are
 */
export function requestFacts(
  id: string,
  raw: IncomingRequest,
  source: RequestSource,
  withIp: boolean,
  route = source.route,
): JsonObject {
  const { headers } = raw;
  const facts: Record<string, string> = { id };
  put(facts, 'method', raw.method);
  put(facts, 'path', withoutQuery(raw.originalUrl ?? raw.url));
  put(facts, 'route', routeOf(source, route));
  put(facts, 'host', headers['host'] ?? headers[':authority']);
  put(facts, 'userAgent', headers['user-agent']);
  put(facts, 'referer', withoutQuery(headers['referer']));
  if (withIp) {
    put(facts, 'ip', source.ip ?? source.socket?.remoteAddress);
  }
  return facts;
}

/** The pattern of the matched route with its prefixes, once the framework has matched one. */
export function routeOf(source: RequestSource, route = source.route): string | undefined {
  const path = route?.path;
  if (path === undefined || path === null) {
    const url = source.routeOptions?.url;
    return typeof url === 'string' ? url : undefined;
  }
  const { baseUrl } = source;
  // Express takes a text, a RegExp or a list of both.
  const pattern =
    typeof path === 'string' || path instanceof RegExp || Array.isArray(path) ? String(path) : '';
  return `${typeof baseUrl === 'string' ? baseUrl : ''}${pattern}`;
}

function withoutQuery(url: unknown): string | undefined {
  if (typeof url !== 'string') {
    return undefined;
  }
  const end = url.search(/[?#]/);
  const shown = end < 0 ? url : url.slice(0, end);
  return shown.includes('@') ? shown.replace(USER_INFO, '$1') : shown;
}

function put(facts: Record<string, string>, key: string, value: unknown): void {
  if (typeof value === 'string') {
    facts[key] = cut(value);
  }
}

export function cut(text: string): string {
  return text.length > MAX_LENGTH ? text.slice(0, MAX_LENGTH) : text;
}
