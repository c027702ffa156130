import { parseArgs } from 'node:util';
import { errorMessage, describeValue } from '../core/describe.js';
import { UsageError } from './command-errors.js';
import { timeOf } from './time-of.js';

export type CommandName = 'stats' | 'list' | 'dead' | 'replay' | 'drain';

/** What was typed, read. */
export interface Arguments {
  readonly command: CommandName;
  readonly path: string;
  readonly json: boolean;
  /** `path` or `tracker:path`. */
  readonly place?: string;
  /** A glob. */
  readonly name?: string;
  readonly reason?: string;
  readonly ids?: readonly string[];
  /** Epoch milliseconds. */
  readonly from?: number;
  readonly to?: number;
  readonly limit?: number;
  /** A file. */
  readonly topology?: string;
  readonly timeoutMs?: number;
  readonly tracker?: string;
}

const LETTERS = ['place', 'name', 'reason', 'ids', 'from', 'to'] as const;
const DELIVERY = ['topology', 'timeout-ms', 'tracker'] as const;

const OPTIONS: Readonly<Record<CommandName, readonly string[]>> = {
  stats: ['place'],
  list: ['place', 'name', 'limit'],
  dead: [...LETTERS, 'limit'],
  replay: [...LETTERS, ...DELIVERY],
  drain: DELIVERY,
};

/**
 * Answers `undefined` when help was asked for.
 *
 * @throws UsageError
 */
export function readArguments(args: readonly string[]): Arguments | undefined {
  if (args.includes('--help') || args.includes('-h')) {
    return undefined;
  }
  const [group, name, ...rest] = args;
  if (group !== 'backlog') {
    throw new UsageError(
      group === undefined
        ? 'expected a command'
        : `${describeValue(group)} is not a command; known is backlog`,
    );
  }
  if (!isCommand(name)) {
    throw new UsageError(
      `${name === undefined ? 'expected a command' : `${describeValue(name)} is not a command`} of backlog; known are ${Object.keys(OPTIONS).join(', ')}`,
    );
  }
  const { values, positionals } = parse(rest, OPTIONS[name]);
  const [path, ...more] = positionals;
  if (path === undefined || path === '' || more.length > 0) {
    throw new UsageError(
      `expected one path, the one that lmdbBacklog() has, got ${path ? positionals.length : 'none'}`,
    );
  }
  return {
    ...{ command: name, path, json: values['json'] === true },
    ...read(values),
  };
}

function isCommand(name: string | undefined): name is CommandName {
  return name !== undefined && Object.hasOwn(OPTIONS, name);
}

type Values = Readonly<Record<string, string | boolean | undefined>>;

function parse(args: readonly string[], known: readonly string[]): { values: Values; positionals: string[] } {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean' },
        ...Object.fromEntries(known.map((key) => [key, { type: 'string' }])),
      },
    });
  } catch (error) {
    // What follows its first sentence explains how to give a path that begins with a dash.
    throw new UsageError((errorMessage(error).split(/\. |\n/)[0] ?? '').trim());
  }
}

function read(values: Values): Partial<Arguments> {
  const readers: Readonly<Record<string, (text: string) => object>> = {
    place: (place) => ({ place }),
    name: (name) => ({ name }),
    reason: (reason) => ({ reason }),
    topology: (topology) => ({ topology }),
    tracker: (tracker) => ({ tracker }),
    ids: (text) => ({ ids: text.split(',').map((id) => id.trim()) }),
    from: (text) => ({ from: timeOf('--from', text, false) }),
    to: (text) => ({ to: timeOf('--to', text, true) }),
    limit: (text) => ({ limit: numberOf('--limit', text) }),
    'timeout-ms': (text) => ({ timeoutMs: numberOf('--timeout-ms', text) }),
  };
  const found = {};
  for (const [key, value] of Object.entries(values)) {
    if (typeof value === 'string') {
      if (value === '') {
        throw new UsageError(`expected --${key} to be something, got ""`);
      }
      Object.assign(found, readers[key]?.(value));
    }
  }
  return found;
}

function numberOf(option: string, text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new UsageError(`expected ${option} to be a positive integer, got ${describeValue(text)}`);
  }
  return value;
}
