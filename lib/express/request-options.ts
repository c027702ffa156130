import type { JsonObject } from '../core/json.js';
import type { Problems } from '../core/options.js';
import { isRecord } from '../core/options.js';
import type { DecoratedRequest, IncomingRequest } from './incoming-request.js';

/** What `user` and `session` are asked with: the request, or what stands in for it on other transports. */
export type RequestSource = Partial<IncomingRequest> & DecoratedRequest;

/** Who somebody is: an id alone, or an object that has one. Nothing means: not known yet. */
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

/** What `onEnd` is told, once the events of a request are accepted. */
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
  /** `true`, the default, records the request's facts; a function adds to them what it answers. */
  enrich?: true | ((request: RequestSource) => object | null | undefined);
  /** The id of the request; default: a new UUIDv7. What the client sends is trusted only if this reads it. */
  requestId?(request: RequestSource): string | undefined;
  /** Records `request.ip` as the framework tells it, which follows its own "trust proxy" setting. Default: false. */
  ip?: boolean;
  /** Asked at each emit until it answers. Default: the id of `source.user` (`id`, `sub` or `userId`) alone. */
  user?(source: RequestSource, execution?: unknown): Identity;
  /** Asked at each emit until it answers. Default: `source.session.id`, else `source.sessionID`. */
  session?(source: RequestSource, execution?: unknown): Identity;
  /** Keeps events until the outcome is known; they then carry `request.status` and `request.durationMs`. Default: false. */
  hold?: boolean | HoldLimits;
  /** Whether the events of a request are kept, asked once at its end; implies `hold`. */
  keep?(outcome: RequestOutcome): boolean;
  /**
   * What the end of a request waits for before `onEnd` and `waitUntil`: its events are accepted (default), or also
   * delivered, or nothing. Never delays the response.
   */
  flushAtEnd?: 'accepted' | 'delivered' | false;
  /** The response leaves after the request's events are accepted; `'required'`: or as a 503. Default: false. */
  awaitAccepted?: boolean | 'required';
  /** Longest wait of `awaitAccepted`. Default 2,000. */
  acceptTimeoutMs?: number;
  /** Called after the end of each request, inside its scope. */
  onEnd?(summary: RequestSummary): unknown;
  /** The platform's way to be kept alive for work after the response, asked when the request begins. */
  waitUntil?(request: RequestSource): ((work: Promise<void>) => void) | null | undefined;
}

/** The options as the code reads them. */
export interface ResolvedRequestOptions {
  readonly enrich: ((request: RequestSource) => unknown) | undefined;
  readonly requestId: RequestOptions['requestId'] | undefined;
  readonly ip: boolean;
  readonly user: (source: RequestSource, execution?: unknown) => unknown;
  readonly session: (source: RequestSource, execution?: unknown) => unknown;
  readonly hold: Required<HoldLimits> | undefined;
  readonly keep: RequestOptions['keep'] | undefined;
  readonly flushAtEnd: 'accepted' | 'delivered' | false;
  readonly awaitAccepted: boolean | 'required';
  readonly acceptTimeoutMs: number;
  readonly onEnd: RequestOptions['onEnd'] | undefined;
  readonly waitUntil: RequestOptions['waitUntil'] | undefined;
}

const DEFAULT_HOLD: Required<HoldLimits> = { maxEvents: 1_000, maxMs: 30_000 };
const DEFAULT_ACCEPT_TIMEOUT_MS = 2_000;

export function resolveRequestOptions(options: RequestOptions = {}): ResolvedRequestOptions {
  const { enrich } = options;
  return {
    enrich: typeof enrich === 'function' ? enrich.bind(options) : undefined,
    requestId: options.requestId?.bind(options),
    user: options.user?.bind(options) ?? defaultUser,
    session: options.session?.bind(options) ?? defaultSession,
    keep: options.keep?.bind(options),
    onEnd: options.onEnd?.bind(options),
    waitUntil: options.waitUntil?.bind(options),
    ip: options.ip ?? false,
    hold: resolveHold(options),
    flushAtEnd: options.flushAtEnd ?? 'accepted',
    awaitAccepted: options.awaitAccepted ?? false,
    acceptTimeoutMs: options.acceptTimeoutMs ?? DEFAULT_ACCEPT_TIMEOUT_MS,
  };
}

/** `keep` decides over events that were held: it implies `hold`. */
function resolveHold(options: RequestOptions): Required<HoldLimits> | undefined {
  const { hold = false } = options;
  if (hold === false && options.keep === undefined) {
    return undefined;
  }
  const { maxEvents, maxMs }: HoldLimits = typeof hold === 'object' ? hold : {};
  return {
    maxEvents: maxEvents ?? DEFAULT_HOLD.maxEvents,
    maxMs: maxMs ?? DEFAULT_HOLD.maxMs,
  };
}

function defaultUser(source: RequestSource): unknown {
  const user = source.user ?? below(source).user;
  if (!isRecord(user)) {
    return undefined;
  }
  const id = user['id'] ?? user['sub'] ?? user['userId'];
  return typeof id === 'object' ? undefined : id;
}

function defaultSession(source: RequestSource): unknown {
  return sessionId(source) ?? sessionId(below(source));
}

function sessionId({ session, sessionID }: RequestSource): unknown {
  return (isRecord(session) ? session['id'] : undefined) ?? sessionID;
}

function below({ raw }: RequestSource): RequestSource {
  return isRecord(raw) ? raw : {};
}

const OPTION_KEYS: readonly (keyof RequestOptions)[] = [
  'enrich',
  'requestId',
  'ip',
  'user',
  'session',
  'hold',
  'keep',
  'flushAtEnd',
  'awaitAccepted',
  'acceptTimeoutMs',
  'onEnd',
  'waitUntil',
];
const FUNCTIONS = ['requestId', 'user', 'session', 'keep', 'onEnd', 'waitUntil'] as const;

/** Checks the options of requests; everything wrong goes to `problems`. */
export function checkRequestOptions(options: unknown, path: string, problems: Problems): void {
  if (options === undefined) {
    return;
  }
  if (!isRecord(options)) {
    problems.add(path, 'an object', options);
    return;
  }
  problems.onlyKeys(path, options, OPTION_KEYS);
  for (const key of FUNCTIONS) {
    problems.optional(options[key], (value) => {
      problems.function(`${path}.${key}`, value);
    });
  }
  const { enrich, ip, hold, flushAtEnd, awaitAccepted, acceptTimeoutMs } = options;
  oneOf(problems, `${path}.flushAtEnd`, flushAtEnd, ['accepted', 'delivered', false]);
  oneOf(problems, `${path}.awaitAccepted`, awaitAccepted, [true, false, 'required']);
  oneOf(problems, `${path}.ip`, ip, [true, false]);
  if (enrich !== undefined && enrich !== true && typeof enrich !== 'function') {
    problems.add(`${path}.enrich`, 'true or a function', enrich);
  }
  problems.optional(acceptTimeoutMs, (value) => {
    problems.milliseconds(`${path}.acceptTimeoutMs`, value);
  });
  checkHold(hold, `${path}.hold`, problems);
}

function checkHold(hold: unknown, path: string, problems: Problems): void {
  if (hold === undefined || typeof hold === 'boolean') {
    return;
  }
  if (!isRecord(hold)) {
    problems.add(path, 'true, false or { maxEvents, maxMs }', hold);
    return;
  }
  problems.onlyKeys(path, hold, Object.keys(DEFAULT_HOLD));
  for (const [key, value] of Object.entries(hold)) {
    problems.optional(value, (given) => {
      problems.positiveInteger(`${path}.${key}`, given);
    });
  }
}

function oneOf(problems: Problems, path: string, value: unknown, known: readonly unknown[]): void {
  if (value !== undefined && !known.includes(value)) {
    problems.add(path, known.map((item) => JSON.stringify(item)).join(' or '), value);
  }
}
