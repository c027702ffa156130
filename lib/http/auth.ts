import { createHmac } from 'node:crypto';
import type { MaybePromise } from '../core/processor.js';
import { isRecord } from '../core/options.js';
import { lowerCased } from './header-names.js';

type Headers = Readonly<Record<string, string>>;

/** How requests are signed. Nothing of it is ever shown in stats, errors or reports. */
export type HttpAuth =
  | { readonly basic: { readonly username: string; readonly password: string } }
  | { readonly bearer: string }
  | {
      readonly apiKey: {
        readonly key: string;
        /** Default: `X-API-Key`. */
        readonly header?: string;
      };
    }
  | {
      /** HMAC-SHA256 of the body before compression, as lower-case hex. */
      readonly hmac: {
        readonly secret: string;
        /** Default: `X-Signature`. */
        readonly header?: string;
      };
    }
  /** Credentials that change: asked before each request. What it throws counts as a failed attempt. */
  | (() => MaybePromise<Headers>);

/**
 * Headers that hold for every body, by their lower-case names.
 *
 * @throws Error when a function of the app's fails, without what it said: that may hold what it asked with
 */
export async function authHeaders(auth: HttpAuth | undefined): Promise<Headers> {
  if (auth === undefined) {
    return {};
  }
  if (typeof auth === 'function') {
    return answered(auth);
  }
  if ('basic' in auth) {
    const { username, password } = auth.basic;
    const token = Buffer.from(`${username}:${password}`).toString('base64');
    return { authorization: `Basic ${token}` };
  }
  if ('bearer' in auth) {
    return { authorization: `Bearer ${auth.bearer}` };
  }
  return 'apiKey' in auth ? { [(auth.apiKey.header ?? 'X-API-Key').toLowerCase()]: auth.apiKey.key } : {};
}

async function answered(auth: () => MaybePromise<unknown>): Promise<Headers> {
  let headers: unknown;
  try {
    headers = await auth();
  } catch (error) {
    const name = error instanceof Error ? error.name : typeof error;
    // eslint-disable-next-line preserve-caught-error -- what it says may be a secret
    throw new Error(`auth() failed (${name})`);
  }
  if (!isTexts(headers)) {
    throw new Error('auth() answered something else than headers');
  }
  return lowerCased(headers);
}

function isTexts(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((one) => typeof one === 'string');
}

/** Headers that depend on the body. */
export function signatureHeaders(auth: HttpAuth | undefined, body: string | Uint8Array): Headers {
  if (auth === undefined || typeof auth === 'function' || !('hmac' in auth)) {
    return {};
  }
  const { secret, header = 'X-Signature' } = auth.hmac;
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  return { [header.toLowerCase()]: signature };
}
