import { randomBytes } from 'node:crypto';
import { StartError } from '../boot/start-error.js';

/** What can be set from the outside. */
export class Settings {
  constructor(
    /** 0 takes any free one. */
    readonly port: number,
    readonly adminToken: string,
  ) {}
}

const DEFAULT_PORT = 3000;
const MAX_PORT = 65_535;
/** What may stand in an Authorization header (RFC 6750 §2.1). */
const BEARER_TOKEN = /^[\w.~+/-]+=*$/;

/**
 * Reads PORT (default 3000) and ADMIN_TOKEN (default: a new one at each start).
 *
 * @throws StartError
 */
export function readSettings(
  env: Readonly<Record<string, string | undefined>>,
): Settings {
  return new Settings(readPort(env['PORT']), readToken(env['ADMIN_TOKEN']));
}

function readPort(text = ''): number {
  if (text === '') {
    return DEFAULT_PORT;
  }
  const port = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(port <= MAX_PORT)) {
    throw new StartError(
      `PORT: expected a number from 0 to ${MAX_PORT}, got ${JSON.stringify(text)}.`,
    );
  }
  return port;
}

function readToken(text = ''): string {
  if (text === '') {
    return randomBytes(12).toString('hex');
  }
  if (!BEARER_TOKEN.test(text)) {
    throw new StartError(
      'ADMIN_TOKEN: expected letters, digits and -._~+/ only, as an Authorization header takes them.',
    );
  }
  return text;
}
