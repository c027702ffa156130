import type { JsonObject } from '../core/json.js';
import type { IncomingRequest } from './incoming-request.js';
import type { RequestSource } from './request-options.js';

/** No fact about a request is longer: headers are the client's to choose. */
const MAX_LENGTH = 512;
/** A name and a password in an absolute URL. */
const USER_INFO = /^([a-z][a-z\d+.-]*:\/\/)[^/]*@/i;
/** What may stand for more or less than one segment of a path, in the patterns of Express 4 and 5. */
const NOT_A_SEGMENT = /[*?+(){}[\]\\]/;

/**
 * What a request shows of itself, without what may be secret: paths and referers end before the query string,
 * and carry no credentials.
 *
 * @param raw Node's own request
 * @param source the framework's: it knows the route and, if it trusts a proxy, the client's address
 */
export function requestFacts(
  id: string,
  raw: IncomingRequest,
  source: RequestSource,
  withIp: boolean,
): JsonObject {
  const { headers } = raw;
  const facts: Record<string, string> = { id };
  put(facts, 'method', raw.method);
  put(facts, 'path', pathOf(raw));
  put(facts, 'route', routeOf(raw, source));
  put(facts, 'host', headers['host'] ?? headers[':authority']);
  put(facts, 'userAgent', headers['user-agent']);
  put(facts, 'referer', withoutQuery(headers['referer']));
  if (withIp) {
    put(facts, 'ip', source.ip ?? source.socket?.remoteAddress);
  }
  return facts;
}

/** The pattern of the matched route with its prefixes, once the framework has matched one. */
export function routeOf(raw: IncomingRequest, source: RequestSource): string | undefined {
  const path = source.route?.path;
  if (path === undefined || path === null) {
    const url = source.routeOptions?.url;
    return typeof url === 'string' ? cut(url) : undefined;
  }
  // Express takes a string, a RegExp or a list of both.
  const pattern =
    typeof path === 'string' || path instanceof RegExp || Array.isArray(path) ? String(path) : '';
  return cut(prefixOf(raw, source, pattern) + pattern);
}

/**
 * The path below which the router of the matched route is mounted. Express says it in `baseUrl`, but only while that router
 * is at work: an error handler, or the end of the request, sees that of an outer one. Where the pattern says how many
 * segments it takes, the prefix is what it leaves of the path.
 */
function prefixOf(raw: IncomingRequest, { baseUrl }: RequestSource, pattern: string): string {
  const base = typeof baseUrl === 'string' ? baseUrl : '';
  if (NOT_A_SEGMENT.test(pattern) || !pattern.startsWith('/')) {
    return base;
  }
  const path = pathOf(raw)?.split('/') ?? [];
  if (path.length > 1 && path.at(-1) === '') {
    path.pop();
  }
  const segments = pattern.replace(/\/$/, '').split('/').length - 1;
  const prefix = path.slice(0, path.length - segments).join('/');
  // An app that rewrites its URLs matches another path than the one that came.
  return prefix.startsWith(base) ? prefix : base;
}

function pathOf(raw: IncomingRequest): string | undefined {
  return withoutQuery(raw.originalUrl ?? raw.url);
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

export function cut(value: string): string {
  return value.length > MAX_LENGTH ? value.slice(0, MAX_LENGTH) : value;
}
