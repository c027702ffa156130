import { describe, expect, it, jest } from '@jest/globals';
import { logReports } from '../../../lib/core/console-reporter.js';
import { draftTracker } from '../../../lib/core/create-tracker.js';
import { ContextStore } from '../../../lib/core/context-store.js';
import { isTrackingError, TrackingError } from '../../../lib/core/errors.js';
import type { OnError, TrackingReport } from '../../../lib/core/report.js';
import { Reporter } from '../../../lib/core/report.js';
import type { ScopedTracker } from '../../../lib/core/scoped-tracker.js';
import { errorMessage, describeValue } from '../../../lib/core/describe.js';
import { fakeClock } from '../../../lib/testing/fake-clock.js';
import { memoryBackend } from '../../../lib/testing/memory-backend.js';
import { record, untyped } from '../../support/recording.js';

const report: TrackingReport = {
  code: 'overflow',
  message: 'too much',
  path: 'a',
};

/** A reporter with a fallback that remembers. */
function reporter(onError: OnError): {
  reporter: Reporter;
  fallback: TrackingReport[];
} {
  const fallback: TrackingReport[] = [];
  return {
    reporter: new Reporter(onError, (last) => fallback.push(last), new ContextStore()),
    fallback,
  };
}

describe('onError', () => {
  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('mine');
      },
    ],
    ['rejects', () => Promise.reject(new Error('mine'))],
    [
      'answers a thenable that rejects',
      () => ({
        then: (_: unknown, fail: (error: Error) => void) => {
          fail(new Error('mine'));
        },
      }),
    ],
    [
      'answers a thenable that throws',
      () => ({
        then: () => {
          throw new Error('mine');
        },
      }),
    ],
  ])('that %s is told to the fallback, never to emit', async (_, onError) => {
    const { reporter: told, fallback } = reporter(untyped(onError));
    told.report(report);
    await Promise.resolve();
    expect(fallback).toMatchObject([
      { code: 'callback_failed', path: 'onError', error: { message: 'mine' } },
    ]);
  });

  it('that emits a bad event itself does not call itself', () => {
    const lines: string[] = [];
    let calls = 0;
    const tracker: ScopedTracker = draftTracker(
      {
        backends: { memory: memoryBackend() },
        contextStore: new ContextStore(),
        onError: () => {
          calls++;
          tracker.emit('', { n: 1n });
        },
      },
      { write: (line) => lines.push(line) },
    ).finish();
    tracker.emit('');
    expect(calls).toBe(1);
    expect(lines.map((line) => line.split(' ')[1])).toStrictEqual(['invalid_name', 'payload_changed']);
    tracker.emit('');
    expect(calls).toBe(2);
  });

  it('hears every report of a healthy onError', () => {
    const onError = jest.fn<OnError>();
    const { reporter: told, fallback } = reporter(onError);
    told.report(report);
    told.report(report);
    expect(onError.mock.calls).toStrictEqual([[report], [report]]);
    expect(fallback).toStrictEqual([]);
  });

  it('may fail together with the fallback', async () => {
    const fails = (): never => {
      throw new Error('no');
    };
    const told = new Reporter(fails, fails, new ContextStore());
    expect(() => {
      told.report(report);
    }).not.toThrow();
    const rejects = new Reporter(
      untyped(() => Promise.reject(new Error('no'))),
      fails,
      new ContextStore(),
    );
    rejects.report(report);
    await Promise.resolve();
  });
});

describe('the log of reports', () => {
  it('has one line per code and path in 10 s, with a count of what was held back', async () => {
    const clock = fakeClock();
    const lines: string[] = [];
    const log = logReports(clock, (line) => lines.push(line));
    log(report);
    log(report);
    log({ ...report, path: 'b' });
    log({ ...report, code: 'timeout' });
    await clock.advance(9_999);
    log(report);
    expect(lines).toStrictEqual([
      '[nestjs-tracking] overflow at a - too much',
      '[nestjs-tracking] overflow at b - too much',
      '[nestjs-tracking] timeout at a - too much',
    ]);
    await clock.advance(1);
    log(report);
    expect(lines.at(-1)).toBe(
      '[nestjs-tracking] overflow at a - too much [and 2 more since the last such line]',
    );
    await clock.advance(10_000);
    log(report);
    expect(lines.at(-1)).toBe('[nestjs-tracking] overflow at a - too much');
  });

  it('shows the error, in one line that is not too long', () => {
    const lines: string[] = [];
    const log = logReports(fakeClock(), (line) => lines.push(line));
    log({
      code: 'backend_failed',
      message: 'no',
      error: new Error('first\r\nsecond\n\n third'),
    });
    log({
      code: 'timeout',
      message: 'no',
      error: new Error('x'.repeat(1_000_000)),
    });
    log({ code: 'overflow', message: 'no', error: Object.create(null) });
    expect(lines[0]).toBe('[nestjs-tracking] backend_failed - no (first second third)');
    expect(lines[1]?.length).toBe(2_000);
    expect(lines[2]).toBe('[nestjs-tracking] overflow - no (an error that cannot be shown)');
  });

  it('keeps a bounded number of keys apart', () => {
    const lines: string[] = [];
    const log = logReports(fakeClock(), (line) => lines.push(line));
    for (let i = 0; i < 1_000; i++) {
      log({ ...report, path: `p${i}` });
    }
    expect(lines).toHaveLength(201);
    log({ ...report, path: 'p7' });
    expect(lines).toHaveLength(201);
  });

  it('goes to standard error for an app without onError', () => {
    const error = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    try {
      const { tracker } = record({ onError: untyped(undefined) });
      tracker.emit('');
      tracker.emit('');
      expect(error.mock.calls).toStrictEqual([
        [expect.stringMatching(/^\[nestjs-tracking\] invalid_name - /)],
      ]);
    } finally {
      error.mockRestore();
    }
  });
});

describe('values in messages', () => {
  it.each<[unknown, string]>([
    ['text', '"text"'],
    ['x'.repeat(1_000), `"${'x'.repeat(80)}"`],
    ['a\nb', '"a\\nb"'],
    [7, '7'],
    [-0, '0'],
    [7n, '7n'],
    [10n ** 200n, `1${'0'.repeat(79)}n`],
    [undefined, 'undefined'],
    [null, 'null'],
    [true, 'true'],
    [Symbol('s'), 'Symbol(s)'],
    [[1, 2], 'an array of 2'],
    [{}, 'an empty object'],
    [{ a: 1, b: 2, c: 3, d: 4, e: 5, f: 6 }, 'an object with a, b, c, d, e'],
    [{ ['k'.repeat(1_000)]: 1 }, `an object with ${'k'.repeat(80)}`],
    [
      function named() {
        /* nothing */
      },
      'function named',
    ],
    [[() => undefined][0], 'function'],
  ])('%#: are short', (value: unknown, expected: string) => {
    expect(describeValue(value)).toBe(expected);
  });

  it('may throw at every look', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(describeValue(proxy)).toBe('an unreadable object');
    expect(describeValue(Object.defineProperty(() => undefined, 'name', { value: Symbol('x') }))).toBe(
      'an unreadable function',
    );
    expect(errorMessage(proxy)).toBe('an error that cannot be shown');
  });
});

describe('errors', () => {
  it('are recognised by their brand, across copies of the package', () => {
    const cause = new Error('cause');
    const error = new TrackingError('timeout', 'late', { cause });
    expect(error).toMatchObject({
      name: 'TrackingError',
      code: 'timeout',
      message: 'late',
      cause,
    });
    expect(isTrackingError(error)).toBe(true);
    expect(isTrackingError({ [Symbol.for('nestjs-tracking.error')]: true })).toBe(true);
    expect(isTrackingError(new Error('x'))).toBe(false);
    expect(isTrackingError(null)).toBe(false);
    expect(isTrackingError('x')).toBe(false);
  });
});
