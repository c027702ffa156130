import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Backend } from 'nestjs-tracking/core';
import { createTracker } from 'nestjs-tracking/core';
import type { LookupFunction } from 'node:net';
import { Agent } from 'undici';
import { httpBackend } from 'nestjs-tracking/http';
import { hostile, revoked } from '../../support/hostile.js';
import { freePort } from '../../support/free-port.mjs';
import { until } from '../../support/http-app.js';
import { record, untyped } from '../../support/recording.js';

const refused = (address: string): Error =>
  Object.assign(new Error(`connect ECONNREFUSED ${address}`), { code: 'ECONNREFUSED', address });

/** What was thrown, and what every message about it has to say. */
const ERRORS: readonly [string, () => unknown, readonly string[]][] = [
  ['a message', () => new Error('no space'), ['no space']],
  [
    'no message, but errors inside: a name with several addresses',
    () =>
      Object.assign(new AggregateError([refused('::1:9'), refused('127.0.0.1:9')], ''), {
        code: 'ECONNREFUSED',
      }),
    ['ECONNREFUSED', '::1:9', '127.0.0.1:9'],
  ],
  ['no message, but a code', () => Object.assign(new Error(''), { code: 'ETIMEDOUT' }), ['ETIMEDOUT']],
  ['no message, but a cause', () => new Error('', { cause: refused('::1:9') }), ['ECONNREFUSED ::1:9']],
  [
    'a cause with the reason: fetch',
    () => new TypeError('fetch failed', { cause: refused('::1:9') }),
    ['fetch failed', 'ECONNREFUSED ::1:9'],
  ],
  [
    'a cause of a cause',
    () => new Error('not sent', { cause: new Error('no pool', { cause: refused('::1:9') }) }),
    ['not sent', 'no pool', 'ECONNREFUSED'],
  ],
  [
    'a cause with errors inside',
    () => new TypeError('fetch failed', { cause: new AggregateError([refused('::1:9')], '') }),
    ['fetch failed', 'ECONNREFUSED ::1:9'],
  ],
  [
    'a code beside the message',
    () => Object.assign(new Error('duplicate'), { code: '23505' }),
    ['duplicate', '23505'],
  ],
  ['a cause that is a string', () => new Error('failed', { cause: 'disk full' }), ['failed', 'disk full']],
  ['nothing but its class', () => new RangeError(), ['RangeError']],
  ['nothing but a name', () => Object.assign(new Error(), { name: 'AbortError' }), ['AbortError']],
  ['a string', () => 'gone', ['gone']],
  ['an object', () => ({ message: 'gone', code: 'E_GONE' }), ['gone', 'E_GONE']],
];

/** What tells nothing must still be said in words. */
const WILD: readonly [string, () => unknown][] = [
  ['a hostile proxy', hostile],
  ['a revoked proxy', revoked],
  ['an empty string', () => ''],
  ['nothing', () => undefined],
  ['null', () => null],
  ['a symbol', () => Symbol('x')],
  [
    'an error that is its own cause',
    () => ((error) => Object.assign(error, { cause: error }))(new Error('round')),
  ],
  ['an error that holds itself', () => ((error) => Object.assign(error, { errors: [error] }))(new Error(''))],
];

let lines: string[] = [];
beforeEach(() => {
  lines = [];
  jest.spyOn(console, 'error').mockImplementation((line: unknown) => {
    lines.push(String(line));
  });
});
afterEach(() => {
  jest.restoreAllMocks();
});

const throwing = (thrown: unknown): Backend => ({
  send: () => {
    throw thrown;
  },
});

describe('the messages about what was thrown', () => {
  it.each(ERRORS)('say it: %s', async (_what, make, words) => {
    const run = record({ backends: { b: throwing(make()) }, onError: untyped(undefined) });
    await run.tracker.emitAsync('a');
    for (const word of words) {
      expect(run.tracker.stats().backends['b']?.lastError).toContain(word);
      expect(lines).toStrictEqual([expect.stringContaining(word)]);
    }
  });

  it.each(ERRORS)('say it at boot: %s', (_what, make, words) => {
    const attach = (): never => {
      throw make();
    };
    for (const word of words) {
      expect(() => createTracker({ backends: { b: { attach, send: () => undefined } } })).toThrow(word);
    }
  });

  it.each(WILD)('are never empty: %s', async (_what, make) => {
    const run = record({ backends: { b: throwing(make()) }, onError: untyped(undefined) });
    await run.tracker.emitAsync('a');
    expect(run.tracker.stats().backends['b']?.lastError).toMatch(/\S/);
    expect(lines).toStrictEqual([expect.stringMatching(/\S/)]);
    expect(lines[0]).not.toMatch(/\(\s*\)/);
  });

  it('say of a server with two addresses, where nobody listens, why it does not answer', async () => {
    const url = `http://two.test:${await freePort()}/`;
    const lookup = untyped<LookupFunction>(
      (_host: string, _options: object, done: (error: null, addresses: object[]) => void) => {
        done(null, [
          { address: '::1', family: 6 },
          { address: '127.0.0.1', family: 4 },
        ]);
      },
    );
    const dispatcher = new Agent({ connect: { autoSelectFamily: true, lookup } });
    const reports: string[] = [];
    const tracker = createTracker({
      backends: { http: httpBackend({ url, dispatcher, batch: { maxDelayMs: 1 }, retry: { baseMs: 5 } }) },
      onError: ({ message }) => {
        reports.push(message);
      },
    });
    tracker.emit('a');
    const lastError = () => tracker.stats().backends['http']?.lastError;
    await until(() => lastError() !== undefined && reports.length > 0);
    expect(lastError()).toContain('ECONNREFUSED');
    expect(reports[0]).toContain('ECONNREFUSED');
    await tracker.close({ timeoutMs: 50 });
    await dispatcher.close();
  });
});
