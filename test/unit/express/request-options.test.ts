import { describe, expect, it } from '@jest/globals';
import { Problems } from '../../../lib/core/options.js';
import type { ReadRequestOptions, RequestOptions } from '../../../lib/express/request-options.js';
import { readRequestOptions } from '../../../lib/express/request-options.js';
import { untyped } from '../../support/recording.js';

function read(options?: RequestOptions): ReadRequestOptions {
  return readRequestOptions(options, 'request', new Problems());
}

/** What is wrong with the options, line by line. */
function problemsOf(options: unknown): string[] {
  const problems = new Problems();
  readRequestOptions(options, 'request', problems);
  try {
    problems.throwIfAny('wrong');
    return [];
  } catch (error) {
    return (error as Error).message
      .split('\n')
      .slice(1)
      .map((line) => line.trim().replace(/^- /, ''));
  }
}

describe('the options of requests', () => {
  it.each([
    [undefined],
    [{}],
    [{ hold: true, flushAtEnd: false, awaitAccepted: 'required', ip: true }],
    [{ hold: { maxEvents: 1, maxMs: undefined }, acceptTimeoutMs: 0 }],
    [{ enrich: true, keep: () => true, user: undefined }],
    [{ enrich: false, lateMs: 0 }],
    [{ enrich: () => ({}), onEnd: () => 1, waitUntil: () => null }],
  ])('may be %p', (options) => {
    expect(problemsOf(options)).toStrictEqual([]);
  });

  it.each<[unknown, string]>([
    [7, 'expected request to be an object, got 7'],
    [[], 'expected request to be an object, got an array of 0'],
    [{ keep: 1 }, 'expected request.keep to be a function, got 1'],
    [{ onEnd: 'x' }, 'expected request.onEnd to be a function, got "x"'],
    [{ user: null }, 'expected request.user to be a function, got null'],
    [{ enrich: 1 }, 'expected request.enrich to be true, false or a function, got 1'],
    [{ flushAtEnd: true }, "expected request.flushAtEnd to be 'accepted' or 'delivered' or false, got true"],
    [{ awaitAccepted: 'yes' }, `expected request.awaitAccepted to be true or false or 'required', got "yes"`],
    [{ ip: 1 }, 'expected request.ip to be true or false, got 1'],
    [{ acceptTimeoutMs: -1 }, 'expected request.acceptTimeoutMs to be milliseconds, 0 or more, got -1'],
    [{ hold: 'yes' }, 'expected request.hold to be true, false or { maxEvents, maxMs }, got "yes"'],
    [{ hold: { maxEvents: 0 } }, 'expected request.hold.maxEvents to be a positive integer, got 0'],
  ])('may not be %p', (options, problem) => {
    expect(problemsOf(options)).toStrictEqual([problem]);
  });

  it('are told all at once, with what is no option', () => {
    expect(problemsOf({ kep: true, hold: { maxMs: NaN, max: 1 }, session: 's' })).toStrictEqual([
      expect.stringContaining('request.kep is not an option; known are enrich'),
      'expected request.session to be a function, got "s"',
      'request.hold.max is not an option; known are maxEvents, maxMs',
      'expected request.hold.maxMs to be a positive integer, got NaN',
    ]);
  });

  it('have defaults', () => {
    expect(read()).toMatchObject({
      ip: false,
      hold: undefined,
      flushAtEnd: 'accepted',
      awaitAccepted: false,
      acceptTimeoutMs: 2_000,
    });
  });

  it.each<[RequestOptions, unknown]>([
    [{ hold: false }, undefined],
    [{ hold: true }, { maxEvents: 1_000, maxMs: 30_000 }],
    [{ hold: { maxEvents: 5 } }, { maxEvents: 5, maxMs: 30_000 }],
    [{ hold: untyped({ maxEvents: undefined, maxMs: 7 }) }, { maxEvents: 1_000, maxMs: 7 }],
    [{ keep: () => true }, { maxEvents: 1_000, maxMs: 30_000 }],
    [
      { keep: () => true, hold: false },
      { maxEvents: 1_000, maxMs: 30_000 },
    ],
    [
      { keep: () => true, hold: { maxMs: 7 } },
      { maxEvents: 1_000, maxMs: 7 },
    ],
  ])('with %p hold %p', (options, hold) => {
    expect(read(options).hold).toStrictEqual(hold);
  });

  it('may be an object of a class whose methods need each other', () => {
    class Options implements RequestOptions {
      ended = 0;
      keep(): boolean {
        return this.ended === 0;
      }
      onEnd(): void {
        this.ended++;
      }
      requestId(): string {
        return `id-${this.ended}`;
      }
    }
    const own = new Options();
    const { keep, onEnd, requestId } = read(own);
    expect(keep?.({ aborted: false, durationMs: 0 })).toBe(true);
    onEnd?.(untyped({}));
    expect(own.ended).toBe(1);
    expect(requestId?.({})).toBe('id-1');
  });
});
