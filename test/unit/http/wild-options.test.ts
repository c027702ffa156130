import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isTrackingError } from 'nestjs-tracking/core';
import { atomBackend, gdqBackend, httpBackend, paltabrainBackend } from 'nestjs-tracking/http';
import { segmentBackend } from 'nestjs-tracking/segment';
import { untyped } from '../../support/recording.js';

const NAMES = [
  ...['url', 'headers', 'auth', 'batch', 'retry', 'concurrency', 'timeoutMs'],
  ...['conflict', 'noEmit', 'testMode', 'format', 'backlog', 'compression'],
  ...['onDeadLetter', 'tls', 'dispatcher', 'host', 'hostname', 'writeKey'],
];

/** Values that do not even become a text or a number. */
const STRANGE: readonly unknown[] = [
  Symbol('s'),
  { min: Symbol('a'), max: 1 },
  { min: 1n, max: {} },
  new Proxy({}, {}),
  {
    toString: () => {
      throw new Error('no text');
    },
  },
  Object.create(null),
];

const wild = fc.oneof(
  fc.anything({
    ...{ withBigInt: true, withDate: true, withMap: true },
    ...{ withNullPrototype: true, withTypedArray: true },
  }),
  fc.constantFrom(...STRANGE),
);

const options = fc.record(
  Object.fromEntries(
    NAMES.map((name) => [name, name === 'url' ? fc.oneof(wild, fc.constant('http://x/')) : wild]),
  ),
  { requiredKeys: [] },
);

function expectOneError(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    expect(isTrackingError(error) && error.code).toBe('invalid_options');
  }
}

describe('whatever an app gives as options', () => {
  it.each<[string, (given: never) => unknown]>([
    ['httpBackend', httpBackend],
    ['gdqBackend', gdqBackend],
    ['atomBackend', atomBackend],
    ['paltabrainBackend', paltabrainBackend],
    ['segmentBackend', segmentBackend],
  ])('%s takes it, or says what is wrong', (_, make) => {
    fc.assert(
      fc.property(options, (given) => {
        expectOneError(() => make(untyped(given)));
      }),
      { numRuns: 500 },
    );
  });

  it.each([httpBackend({ url: 'http://x/' }), gdqBackend()])(
    'configure takes it, or says what is wrong',
    (backend) => {
      fc.assert(
        fc.property(fc.oneof(options, wild), (given) => {
          expectOneError(() => {
            backend.configure(untyped(given));
          });
        }),
        { numRuns: 500 },
      );
    },
  );
});
