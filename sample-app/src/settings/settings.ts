import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { StartError } from '../boot/start-error.js';

/** What can be set from the outside. */
export class Settings {
  constructor(
    /** 0 takes any free one. */
    readonly port: number,
    readonly adminToken: string,
    /** The folder of what outlives the app: the counters, the backlog, what the collector has got. */
    readonly dataDir: string,
    /** Where the counters are instead. */
    readonly redisUrl?: string,
    /** Where the collector listens, 0 takes any free one; without it there is no collector. */
    readonly collectorPort?: number,
  ) {}
}

const DEFAULT_PORT = 3000;
/** Beside the sources, from wherever the app is started. */
const DEFAULT_DATA_DIR = fileURLToPath(new URL('../../data', import.meta.url));
const MAX_PORT = 65_535;
/** What may stand in an Authorization header (RFC 6750 §2.1). */
const BEARER_TOKEN = /^[\w.~+/-]+=*$/;

/**
 * Reads PORT (default 3000), ADMIN_TOKEN (default: a new one at each start), DATA_DIR (default: `sample-app/data`),
 * REDIS_URL (default: none) and COLLECTOR_PORT (default: the one after PORT).
 *
 * @throws StartError
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const port = readPort('PORT', env['PORT'], DEFAULT_PORT);
  return new Settings(
    port,
    readToken(env['ADMIN_TOKEN']),
    readFolder(env['DATA_DIR']),
    readRedisUrl(env['REDIS_URL']),
    readPort('COLLECTOR_PORT', env['COLLECTOR_PORT'], portBeside(port)),
  );
}

function readPort(name: string, text = '', whenMissing: number): number {
  if (text === '') {
    return whenMissing;
  }
  const port = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(port <= MAX_PORT)) {
    throw new StartError(`${name}: expected a number from 0 to ${MAX_PORT}, got ${JSON.stringify(text)}.`);
  }
  return port;
}

/** The next one, where there is one; any free one beside any free one. */
function portBeside(port: number): number {
  return port === 0 ? 0 : port < MAX_PORT ? port + 1 : port - 1;
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
    throw new StartError('REDIS_URL: expected an address like redis://127.0.0.1:6379.');
  }
  return text;
}
