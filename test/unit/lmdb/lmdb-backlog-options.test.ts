import { describe, expect, it } from '@jest/globals';
import { lmdbBacklog } from 'nestjs-tracking/lmdb';
import { lmdbBacklogSettings } from '../../../lib/lmdb/lmdb-backlog-options.js';

describe('the options of lmdbBacklog', () => {
  it('have defaults', () => {
    expect(lmdbBacklogSettings({ path: 'data' })).toEqual({
      path: 'data',
      durability: 'process',
      maxEvents: 2_000_000,
      maxBytes: 1024 ** 3,
      overflow: 'dropOldest',
      lasting: true,
      deadLetters: { maxEvents: 10_000, maxBytes: 64 * 1024 ** 2 },
    });
  });

  it('are taken as they are given', () => {
    const options = {
      path: 'data',
      durability: 'power',
      maxEvents: 5,
      maxBytes: 6,
      overflow: 'block',
      lasting: false,
      deadLetters: { maxEvents: 7, maxBytes: 8 },
    } as const;
    expect(lmdbBacklogSettings(options)).toEqual(options);
    expect(lmdbBacklog(options).lasting).toBe(false);
  });

  it('are refused with every problem at once', () => {
    expect(() =>
      lmdbBacklog({
        path: '',
        durability: 'forever',
        maxEvents: -5,
        maxBytes: 1.5,
        overflow: 'explode',
        lasting: 1,
        deadLetters: { maxEvents: 0, keep: 1 },
        file: 'x',
      } as unknown as Parameters<typeof lmdbBacklog>[0]),
    ).toThrow(
      [
        'the options of lmdbBacklog() are wrong:',
        '  - file is not an option; known are path, durability, maxEvents, maxBytes, overflow, lasting, deadLetters',
        '  - deadLetters.keep is not an option; known are maxEvents, maxBytes',
        '  - expected deadLetters.maxEvents to be a positive integer, got 0',
        '  - expected path to be the path of a folder, got ""',
        '  - expected maxEvents to be a positive integer, got -5',
        '  - expected maxBytes to be a positive integer, got 1.5',
        '  - expected lasting to be true or false, got 1',
        '  - expected durability to be one of process, power, got "forever"',
        '  - expected overflow to be one of dropOldest, dropNewest, block, got "explode"',
      ].join('\n'),
    );
  });

  it.each([undefined, null, 'data', []])('are an object, not %p', (options) => {
    expect(() => lmdbBacklog(options as unknown as Parameters<typeof lmdbBacklog>[0])).toThrow(
      /expected options to be an object/,
    );
  });

  it('refuse dead-letter bounds that are no object', () => {
    expect(() => lmdbBacklog({ path: 'data', deadLetters: 5 as unknown as object })).toThrow(
      /expected deadLetters to be an object, got 5/,
    );
  });
});
