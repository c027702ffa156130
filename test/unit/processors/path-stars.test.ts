import { describe, expect, it } from '@jest/globals';
import { createTracker, match, redact, sample } from 'nestjs-tracking/core';
import { record } from '../../support/recording.js';

/** Whoever reads a path, with that one. */
const READERS: readonly [string, (path: string) => unknown][] = [
  ['redact', (path) => redact({ paths: [path] })],
  ['match', (path) => match({ [path]: 'x' })],
  ['sample', (path) => sample({ rate: 0.5, by: path })],
];

describe.each(READERS)('a path of %s', (_who, read) => {
  it.each([
    ['two stars', 'data.error.config.headers.**'],
    ['two stars in between', 'data.**.token'],
    ['two stars at the start', 'data.**'],
    ['three stars', 'data.***'],
    ['a star behind the beginning of a key', 'data.user*'],
    ['a star before the end of a key', 'data.*token'],
    ['a star within a key', 'data.to*ken'],
    ['stars before the fields', '**.authorization'],
    ['an empty step', 'data..token'],
    ['an empty step at the end', 'data.token.'],
    ['nothing', ''],
  ])('that can match nothing is refused at boot: %s', (_what, path) => {
    const boot = (): unknown => createTracker({ processors: [read(path) as never], backends: {} });
    expect(boot).toThrow(
      expect.objectContaining({
        code: 'invalid_options',
        message: expect.stringContaining(JSON.stringify(path)),
      }),
    );
  });

  it.each(['data.*', 'data.*.token', 'data.a.b.*', String.raw`data.\*\*`, String.raw`data.user\*`])(
    'that can match something is taken: %s',
    (path) => {
      expect(() => read(path)).not.toThrow();
    },
  );
});

describe('redact', () => {
  it('finds keys with stars in them by backslashes', () => {
    const paths = [String.raw`data.\*\*`, String.raw`data.user\*`];
    const run = record({ processors: [redact({ paths })] });
    run.tracker.emit('a', { '**': 1, 'user*': 2, user: 3, '*': 4 });
    expect(run.last().data).toStrictEqual({ user: 3, '*': 4 });
  });

  it.each(['data', 'context', 'id', 'name.x', 'id.*', 'timestamp.*'])(
    'refuses a path that leads to no part of a payload or context: %s',
    (path) => {
      expect(() => redact({ paths: [path] })).toThrow(expect.objectContaining({ code: 'invalid_options' }));
    },
  );
});

describe('a path below a string', () => {
  it.each(['name.x', 'id.*', 'timestamp.0'])('of match, which can match nothing, is refused: %s', (path) => {
    expect(() => match({ [path]: 'x' })).toThrow(expect.objectContaining({ code: 'invalid_options' }));
  });

  it.each(['name.x', 'id.*', 'timestamp.0'])('of sample, which finds nothing, is refused: %s', (path) => {
    expect(() => sample({ rate: 0.5, by: path })).toThrow(
      expect.objectContaining({ code: 'invalid_options' }),
    );
  });
});
