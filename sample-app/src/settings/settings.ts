import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { StartError } from '../boot/start-error.js';

/** What can be set from the outside. */
export class Settings {
  constructor(
    /** 0 takes any free one. */
    readonly port: number,
    readonly adminToken: string,
    /** The folder of the counters. */
    readonly dataDir: string,
    /** Where the counters are instead. */
    readonly redisUrl?: string,
  ) {}
}

const DEFAULT_PORT = 3000;
/** Beside the sources, from wherever the app is started. */
const DEFAULT_DATA_DIR = fileURLToPath(new URL('../../data', import.meta.url));
const MAX_PORT = 65_535;
/** What may stand in an Authorization header (RFC 6750 §2.1). */
const BEARER_TOKEN = /^[\w.~+/-]+=*$/;

/**
 * Reads PORT (default 3000), ADMIN_TOKEN (default: a new one at each start), DATA_DIR (default: `sample-app/data`) and
 * REDIS_URL (default: none).
 *
 * @throws StartError
 */
export function readSettings(
  env: Readonly<Record<string, string | undefined>>,
): Settings {
  return new Settings(
    readPort(env['PORT']),
    readToken(env['ADMIN_TOKEN']),
    readFolder(env['DATA_DIR']),
    readRedisUrl(env['REDIS_URL']),
  );
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

function readFolder(text = ''): string {
  return text === '' ? DEFAULT_DATA_DIR : text;
}

/** What it says may hold a password: it is not shown. */
function readRedisUrl(text = ''): string | undefined {
  if (text === '') {
    return undefined;
  }
  if (!/^rediss?:\/\/./.test(text) || !URL.canParse(text)) {
    throw new StartError(
      'REDIS_URL: expected an address like redis://127.0.0.1:6379.',
    );
  }
  return text;
}
