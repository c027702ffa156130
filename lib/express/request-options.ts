import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { JsonObject } from '../core/json.js';
import type { OptionReader } from '../core/options.js';
import {
  aFunction,
  boolean,
  isRecord,
  milliseconds,
  object,
  oneOf,
  optional,
  positiveInteger,
} from '../core/options.js';
import type { DecoratedRequest, IncomingRequest } from './incoming-request.js';

/** What `user` and `session` are asked with: the request, or what stands in for it on other transports. */
export type RequestSource = Partial<IncomingRequest> & DecoratedRequest;

/** Who somebody is: an id alone, or an object that has one. Nothing, '' and NaN mean: not known yet. */
export type Identity = object | string | number | null | undefined;

/** How a request ended. */
export interface RequestOutcome {
  /** Absent when no head was sent. */
  readonly status?: number;
  /** Whether the connection closed before the response was complete. */
  readonly aborted: boolean;
  /** What the handler threw, where the host sees it (Nest's handlers). */
  readonly error?: unknown;
  /** Since the scope of the request was opened. */
  readonly durationMs: number;
}

/** What `onEnd` receives, once the events of a request are accepted. */
export interface RequestSummary extends RequestOutcome {
  /** Events emitted in the scope of the request so far. */
  readonly events: number;
  /** How many of them were dropped. */
  readonly dropped: number;
  /** The merged context at the end. */
  readonly context: JsonObject;
}

/** Bounds of the events that one request may hold. */
export interface HoldLimits {
  /** Default 1,000: beyond, the oldest leaves without an outcome. */
  readonly maxEvents?: number;
  /** Default 30,000: then they leave without an outcome. */
  readonly maxMs?: number;
}

/** What is recorded about requests, and what happens at their end. */
export interface RequestOptions {
  /** `true`, the default, records facts about the request; a function adds what it returns; `false` records nothing. */
  enrich?: boolean | ((request: RequestSource) => object | null | undefined);
  /** The id of the request; default: a new UUIDv7. What the client sends is trusted only if this reads it. */
  requestId?(request: RequestSource): string | undefined;
  /** Records `request.ip` as the framework says it, which follows its own "trust proxy" setting. Default: false. */
  ip?: boolean;
  /** Asked at each emit until it is known. Default: the id of `source.user` (`id`, `sub` or `userId`) alone. */
  user?(source: RequestSource, execution?: unknown): Identity;
  /**
   * Asked at each emit until it is known. Default: the first 22 characters of the base64url of the SHA-256 of
   * `source.session.id`, else of `source.sessionID` (the id itself opens the session); nothing while a session is new and
   * unsaved.
   */
  session?(source: RequestSource, execution?: unknown): Identity;
  /** Keeps events until the outcome is known; they then carry `request.status` and `request.durationMs`. Default: false. */
  hold?: boolean | HoldLimits;
  /**
   * Whether the events of a request are kept, asked once at its end; implies `hold`. What is held longer than
   * `hold.maxMs`, or beyond `hold.maxEvents`, leaves unasked.
   */
  keep?(outcome: RequestOutcome): boolean;
  /**
   * What the end of a request waits for before `onEnd` and `waitUntil`: its events are accepted (default), or also
   * delivered, or nothing. Never delays the response.
   */
  flushAtEnd?: 'accepted' | 'delivered' | false;
  /**
   * The response leaves after the request's events are accepted; `'required'`: or as a 503. Default: false. A response
   * whose head was sent before its end (a stream) is not held back.
   */
  awaitAccepted?: boolean | 'required';
  /** Longest wait of `awaitAccepted`. Default 2,000. */
  acceptTimeoutMs?: number;
  /** Called after the end of each request, inside its scope. */
  onEnd?(summary: RequestSummary): unknown;
  /** The platform's way to be kept alive for work after the response, asked when the request begins. */
  waitUntil?(request: RequestSource): ((work: Promise<void>) => void) | null | undefined;
  /** How long after its end a request still owns what runs in its scope; then the scope counts as empty. Default 60,000. */
  lateMs?: number;
}

/** The response is for the default of `session` alone. */
type Ask = (source: RequestSource, execution?: unknown, response?: ServerResponse) => unknown;

/** The options as the code reads them. */
export interface ReadRequestOptions {
  readonly enrich: boolean | Ask;
  readonly requestId: Ask | undefined;
  readonly ip: boolean;
  readonly user: Ask;
  readonly session: Ask;
  readonly hold: Required<HoldLimits> | undefined;
  readonly keep: ((outcome: RequestOutcome) => unknown) | undefined;
  readonly flushAtEnd: 'accepted' | 'delivered' | false;
  readonly awaitAccepted: boolean | 'required';
  readonly acceptTimeoutMs: number;
  readonly onEnd: ((summary: RequestSummary) => unknown) | undefined;
  readonly waitUntil: Ask | undefined;
  readonly lateMs: number;
}

const holdLimits = object({
  maxEvents: optional(positiveInteger, 1_000),
  maxMs: optional(positiveInteger, 30_000),
});

const requestOptions = object({
  enrich: optional(
    booleanOr('true, false or a function', aFunction<Ask>(), (given) => typeof given === 'function'),
    true,
  ),
  requestId: optional(aFunction<Ask>()),
  ip: optional(boolean, false),
  user: optional(aFunction<Ask>(), defaultUser),
  session: optional(aFunction<Ask>(), defaultSession),
  hold: optional(booleanOr('true, false or { maxEvents, maxMs }', holdLimits, isRecord), false),
  keep: optional(aFunction<(outcome: RequestOutcome) => unknown>()),
  flushAtEnd: optional(oneOf('accepted', 'delivered', false), 'accepted'),
  awaitAccepted: optional(oneOf(true, false, 'required'), false),
  acceptTimeoutMs: optional(milliseconds, 2_000),
  onEnd: optional(aFunction<(summary: RequestSummary) => unknown>()),
  waitUntil: optional(aFunction<Ask>()),
  lateMs: optional(milliseconds, 60_000),
});

/** Reads `RequestOptions`. Their functions are called as methods of the options. */
export const readRequestOptions: OptionReader<ReadRequestOptions> = (given, path, problems) => {
  const options = requestOptions(given, path, problems);
  const bound = <F>(run: F): F => (typeof run === 'function' ? (run.bind(given) as F) : run);
  const { enrich, hold } = options;
  return {
    ...options,
    enrich: bound(enrich),
    requestId: bound(options.requestId),
    user: bound(options.user),
    session: bound(options.session),
    keep: bound(options.keep),
    onEnd: bound(options.onEnd),
    waitUntil: bound(options.waitUntil),
    // `keep` decides over events that were held.
    hold:
      typeof hold === 'object'
        ? hold
        : hold || options.keep !== undefined
          ? holdLimits({}, path, problems)
          : undefined,
  };
};

function booleanOr<T>(
  expected: string,
  read: OptionReader<T>,
  isOther: (given: unknown) => boolean,
): OptionReader<boolean | T> {
  return (given, path, problems) => {
    if (typeof given === 'boolean') {
      return given;
    }
    if (!isOther(given)) {
      problems.add(path, expected, given);
      return false;
    }
    return read(given, path, problems);
  };
}

function defaultUser(source: RequestSource): unknown {
  const user = source.user ?? below(source).user;
  if (!isRecord(user)) {
    return undefined;
  }
  return idOf(user['id']) ?? idOf(user['sub']) ?? idOf(user['userId']);
}

function defaultSession(source: RequestSource, _execution?: unknown, response?: ServerResponse): unknown {
  for (const request of [source, below(source)]) {
    const session = isRecord(request.session) ? request.session : undefined;
    const id = idOf(session?.['id']) ?? idOf(request.sessionID);
    if (id !== undefined) {
      return isUnsaved(request, session, String(id), response) ? undefined : hashed(String(id));
    }
  }
  return undefined;
}

/**
 * Whether nobody will ever send this id again: express-session makes a new session for each request without a cookie, and
 * keeps it only if something is put into it (`saveUninitialized: false`). Its documented surface shows it: `sessionID`,
 * `session.save()`, and the cookie, which comes with the request once it was set. cookie-session has `isNew`.
 */
function isUnsaved(
  request: RequestSource,
  session: Record<string, unknown> | undefined,
  id: string,
  response: ServerResponse | undefined,
): boolean {
  if (session?.['isNew'] === true) {
    return true;
  }
  if (typeof session?.['save'] !== 'function' || request.sessionID === undefined) {
    return false;
  }
  const cookies = [request.headers?.['cookie'], response?.getHeader('set-cookie')].flat().join(';');
  return !cookies.split(';').some((cookie) => holds(cookie, id));
}

/** express-session signs its cookie: `s:`, the id, a dot and the signature. */
function holds(cookie: string, id: string): boolean {
  const value = cookie.slice(cookie.indexOf('=') + 1).trim();
  return [id, `s:${id}.`].some((known, index) =>
    [known, encodeURIComponent(known)].some((text) =>
      index === 0 ? value === text : value.startsWith(text),
    ),
  );
}

function hashed(id: string): string {
  return createHash('sha256').update(id).digest('base64url').slice(0, 22);
}

/** Node's request below Fastify's. */
function below({ raw }: RequestSource): RequestSource {
  return isRecord(raw) ? raw : {};
}

/**
 * An id as it is recorded: a string, not empty, or a number. What is an object becomes the string that it says of itself
 * (an ObjectId, a UUID). `undefined` for anything else.
 */
export function idOf(value: unknown): string | number | undefined {
  switch (typeof value) {
    case 'string':
      return value === '' ? undefined : value;
    case 'number':
      return Number.isFinite(value) ? value : undefined;
    case 'bigint':
      return value.toString();
    case 'object':
      return value === null ? undefined : idOfObject(value);
    default:
      return undefined;
  }
}

function idOfObject(value: object): string | number | undefined {
  const { toJSON, toString } = value as { toJSON?: unknown; toString?: unknown };
  const json: unknown = typeof toJSON === 'function' ? toJSON.call(value) : undefined;
  if (typeof json === 'string' || typeof json === 'number') {
    return idOf(json);
  }
  return json === undefined && saysWhatItIs(value)
    ? idOf((toString as () => unknown).call(value))
    : undefined;
}

/** Whether an object has a string of its own, like an ObjectId or a UUID. */
export function saysWhatItIs(value: unknown): boolean {
  const { toString } = Object(value) as { toString?: unknown };
  return (
    typeof value === 'object' &&
    !Array.isArray(value) &&
    typeof toString === 'function' &&
    toString !== Object.prototype.toString
  );
}
