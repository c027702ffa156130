import { isRecord, Problems } from '../core/options.js';
import { checkAuth } from './check-auth.js';
import { checkFormat } from './check-format.js';
import { checkTls } from './check-tls.js';
import { isHeaderName, isHeaderValue } from './header-names.js';
import { compressions } from './compression.js';

const CHANGEABLE: readonly string[] = [
  ...['url', 'headers', 'auth', 'batch', 'retry', 'concurrency', 'timeoutMs'],
  ...['conflict', 'noEmit', 'testMode'],
];
const FIXED: readonly string[] = [
  ...['format', 'backlog', 'compression', 'onDeadLetter', 'tls', 'dispatcher'],
];
const BACKLOG_METHODS: readonly string[] = [
  ...['open', 'append', 'lease', 'availableIn', 'onAvailable', 'mark'],
  ...['isSettled', 'stats', 'deadLetters', 'replay', 'close'],
];

/**
 * Checks what an app gives to `httpBackend`, or to its `configure`.
 *
 * @throws TrackingError `invalid_options` with every problem; credentials are not shown
 */
export function checkHttpOptions(options: unknown, what: 'httpBackend' | 'configure'): void {
  const problems = new Problems();
  const title = `the options of ${what}() are wrong`;
  if (!isRecord(options)) {
    problems.add('options', 'an object', options);
    problems.throwIfAny(title);
    return;
  }
  const isWhole = what === 'httpBackend';
  problems.onlyKeys('', options, isWhole ? [...CHANGEABLE, ...FIXED] : CHANGEABLE);
  if (isWhole || options['url'] !== undefined) {
    checkUrl(problems, options['url']);
  }
  problems.optional(options['headers'], (value) => {
    checkHeaders(problems, value);
  });
  problems.optional(options['auth'], (value) => {
    checkAuth(problems, value);
  });
  checkNumbers(problems, options);
  problems.optional(options['conflict'], (value) => {
    oneOf(problems, 'conflict', value, ['rejected', 'delivered']);
  });
  problems.optional(options['noEmit'], (value) => {
    problems.boolean('noEmit', value);
  });
  problems.optional(options['testMode'], (value) => {
    if (!isRecord(value) || typeof value['path'] !== 'string') {
      problems.add('testMode', '{ path }', value);
    } else {
      problems.onlyKeys('testMode', value, ['path']);
    }
  });
  if (isWhole) {
    checkFixed(problems, options);
  }
  problems.throwIfAny(title);
}

function checkFixed(problems: Problems, options: Record<string, unknown>): void {
  problems.optional(options['format'], (value) => {
    checkFormat(problems, value);
  });
  problems.optional(options['compression'], (value) => {
    if (value === 'zstd' && !compressions().includes('zstd')) {
      problems.addLine('compression', 'this Node has no zstd: it needs 22.15, 23.8 or later; use gzip or br');
    } else {
      oneOf(problems, 'compression', value, ['gzip', 'br', 'zstd']);
    }
  });
  problems.optional(options['onDeadLetter'], (value) => {
    problems.function('onDeadLetter', value);
  });
  problems.optional(options['backlog'], (value) => {
    if (!hasMethods(value, BACKLOG_METHODS)) {
      problems.add('backlog', 'a backlog such as memoryBacklog()', value);
    }
  });
  problems.optional(options['dispatcher'], (value) => {
    if (!hasMethods(value, ['request'])) {
      problems.add('dispatcher', 'a dispatcher of undici', value);
    }
  });
  problems.optional(options['tls'], (value) => {
    checkTls(problems, value);
  });
}

function checkNumbers(problems: Problems, options: Record<string, unknown>): void {
  part(problems, options, 'batch', {
    ...{ maxEvents: 'count', maxBytes: 'count', maxDelayMs: 'ms' },
    partitionBy: 'function',
  });
  part(problems, options, 'retry', {
    ...{ maxAttempts: 'limit', maxAgeMs: 'limit' },
    ...{ baseMs: 'ms', maxDelayMs: 'ms' },
  });
  problems.optional(options['timeoutMs'], (value) => {
    problems.positiveInteger('timeoutMs', value);
  });
  const { concurrency } = options;
  if (typeof concurrency === 'number') {
    problems.positiveInteger('concurrency', concurrency);
    return;
  }
  part(problems, options, 'concurrency', { min: 'count', max: 'count' });
  if (isRecord(concurrency)) {
    const { min, max } = concurrency;
    if (typeof min === 'number' && typeof max === 'number' && min > max) {
      problems.add('concurrency.min', 'at most concurrency.max', min);
    }
  }
}

type Kind = 'count' | 'ms' | 'limit' | 'function';

function part(
  problems: Problems,
  options: Record<string, unknown>,
  name: string,
  kinds: Readonly<Record<string, Kind>>,
): void {
  const values = options[name];
  if (values === undefined) {
    return;
  }
  if (!isRecord(values)) {
    problems.add(name, 'an object', values);
    return;
  }
  problems.onlyKeys(name, values, Object.keys(kinds));
  for (const [key, kind] of Object.entries(kinds)) {
    problems.optional(values[key], (value) => {
      checkKind(problems, `${name}.${key}`, value, kind);
    });
  }
}

function checkKind(problems: Problems, path: string, value: unknown, kind: Kind): void {
  if (kind === 'function') {
    problems.function(path, value);
  } else if (kind === 'ms') {
    problems.milliseconds(path, value);
  } else if (kind === 'count' || value !== Infinity) {
    problems.positiveInteger(path, value);
  }
}

/** The value is not shown: it may hold a key. */
function checkUrl(problems: Problems, value: unknown): void {
  const text = typeof value === 'string' || value instanceof URL ? value : '';
  const protocol = URL.canParse(String(text)) ? new URL(text).protocol : '';
  if (protocol !== 'http:' && protocol !== 'https:') {
    problems.addLine('url', 'expected an http or https URL');
  }
}

/** Values are not shown: they may be keys. */
function checkHeaders(problems: Problems, value: unknown): void {
  if (!isRecord(value)) {
    problems.addLine('headers', 'expected an object of texts');
    return;
  }
  for (const [name, text] of Object.entries(value)) {
    if (!isHeaderName(name) || !isHeaderValue(text)) {
      problems.addLine(
        `headers[${JSON.stringify(name)}]`,
        'expected the name of a header of your own and a text of Latin 1 on one line',
      );
    }
  }
}

function oneOf(problems: Problems, path: string, value: unknown, known: readonly string[]): void {
  if (!known.includes(value as string)) {
    problems.add(path, `one of ${known.join(', ')}`, value);
  }
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function')
  );
}
