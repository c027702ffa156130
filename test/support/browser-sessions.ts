import { createHmac, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** What a session of a request can do. Its data are the other fields. */
export interface BrowserSession {
  readonly id: string;
  readonly cookie: object;
  save(done?: () => void): unknown;
  regenerate(done?: () => void): unknown;
}

export interface SessionRequest extends IncomingMessage {
  sessionID?: string;
  session?: BrowserSession & Record<string, unknown>;
}

export interface SessionOptions {
  /** Whether a session is sent to its client though nothing was put into it. Default: false. */
  readonly saveUninitialized?: boolean;
  readonly genid?: () => string;
  /** Default: `connect.sid`. */
  readonly name?: string;
}

export interface BrowserSessions {
  /** What was stored, by id. */
  readonly store: Map<string, string>;
  readonly middleware: (request: SessionRequest, response: ServerResponse, next: () => void) => void;
  /** The cookie of a stored session, as a client sends it back. */
  cookie(id: string): string;
}

const SECRET = 'keyboard cat';
const newId = (): string => randomBytes(24).toString('base64url');

/**
 * Sessions that behave like those of express-session: each request has one, with an id; a new one is stored and sent
 * (`Set-Cookie: connect.sid=s%3A<id>.<signature>`, when the head is written) only once something was put into it.
 */
export function browserSessions({
  saveUninitialized = false,
  genid = newId,
  name = 'connect.sid',
}: SessionOptions = {}): BrowserSessions {
  const store = new Map<string, string>();
  const signed = (id: string): string =>
    `s:${id}.${createHmac('sha256', SECRET).update(id).digest('base64').replace(/=+$/, '')}`;
  const cookie = (id: string): string => `${name}=${encodeURIComponent(signed(id))}`;

  const sent = (request: SessionRequest): string | undefined => {
    const found = (request.headers.cookie ?? '')
      .split('; ')
      .map((pair) => /^([^=]+)=(.*)$/.exec(pair))
      .find((pair) => pair?.[1] === name)?.[2];
    const id = /^s:(.+)\.[^.]+$/.exec(decodeURIComponent(found ?? ''))?.[1];
    return id !== undefined && decodeURIComponent(found ?? '') === signed(id) ? id : undefined;
  };

  const dataOf = (session: object): string => JSON.stringify(session);

  const begin = (request: SessionRequest, id: string, data: object): string => {
    request.sessionID = id;
    const methods = {
      id: { get: () => request.sessionID },
      save: {
        value: (done?: () => void) => {
          store.set(id, dataOf(request.session ?? {}));
          done?.();
        },
      },
      regenerate: {
        value: (done?: () => void) => {
          store.delete(id);
          begin(request, genid(), {});
          done?.();
        },
      },
    };
    request.session = Object.defineProperties({ cookie: { path: '/' }, ...data }, methods) as never;
    return dataOf(request.session);
  };

  const middleware: BrowserSessions['middleware'] = (request, response, next) => {
    const known = sent(request);
    const stored = known === undefined ? undefined : store.get(known);
    const before =
      known !== undefined && stored !== undefined
        ? begin(request, known, JSON.parse(stored) as object)
        : begin(request, genid(), {});
    const empty = dataOf({ cookie: { path: '/' } });
    const isModified = (): boolean =>
      dataOf(request.session ?? {}) !== before ||
      (request.sessionID !== known && dataOf(request.session ?? {}) !== empty);
    const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse;
    response.writeHead = (...args: unknown[]) => {
      const id = request.sessionID ?? '';
      if (id !== known && (saveUninitialized || isModified())) {
        response.appendHeader('Set-Cookie', `${cookie(id)}; Path=/; HttpOnly`);
        store.set(id, dataOf(request.session ?? {}));
      }
      return writeHead(...args);
    };
    next();
  };
  return { store, middleware, cookie };
}
