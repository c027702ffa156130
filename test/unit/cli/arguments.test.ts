import { describe, expect, it } from '@jest/globals';
import { readArguments } from '../../../lib/cli/arguments.js';
import { UsageError } from '../../../lib/cli/command-errors.js';

describe('arguments of the command line', () => {
  it.each([
    ['stats db', { command: 'stats' }],
    ['stats --json db --place http', { command: 'stats', json: true, place: 'http' }],
    ['list db --name order.* --limit 5', { command: 'list', name: 'order.*', limit: 5 }],
    ['dead db --reason rejected --ids a,b', { command: 'dead', reason: 'rejected', ids: ['a', 'b'] }],
    [
      'replay db --from 2026-01-01 --to 2026-01-01',
      {
        command: 'replay',
        from: Date.UTC(2026, 0, 1),
        to: Date.UTC(2026, 0, 2) - 1,
      },
    ],
    [
      'drain db --topology t.js --timeout-ms 50 --tracker audit',
      { command: 'drain', topology: 't.js', timeoutMs: 50, tracker: 'audit' },
    ],
  ])('backlog %s is understood', (typed, expected) => {
    expect(readArguments(['backlog', ...typed.split(' ')])).toEqual({
      ...{ path: 'db', json: false },
      ...expected,
    });
  });

  it.each([['--help'], ['backlog', 'stats', '-h']])('ask for help with %s', (...args) => {
    expect(readArguments(args)).toBeUndefined();
  });

  it.each([
    ['', 'expected a command'],
    ['serve', '"serve" is not a command; known is backlog'],
    ['backlog', 'expected a command of backlog; known are stats, list, dead, replay, drain'],
    [
      'backlog toString db',
      '"toString" is not a command of backlog; known are stats, list, dead, replay, drain',
    ],
    ['backlog stats', 'expected one path, the one that lmdbBacklog() has, got none'],
    ['backlog stats a b', 'expected one path, the one that lmdbBacklog() has, got 2'],
    ['backlog stats db --limit 1', "Unknown option '--limit'"],
    ['backlog list db --limit', "Option '--limit <value>' argument missing"],
    ['backlog list db --limit -1', "Option '--limit' argument is ambiguous."],
    ['backlog list db --limit 0', 'expected --limit to be a positive integer, got "0"'],
    ['backlog list db --limit 1e3', 'expected --limit to be a positive integer, got "1e3"'],
    ['backlog drain db --timeout-ms soon', 'expected --timeout-ms to be a positive integer, got "soon"'],
    ['backlog list db --name=', 'expected --name to be something, got ""'],
    ['backlog dead db --json=yes', "Option '--json' does not take an argument"],
  ])('refuse %j', (typed, message) => {
    const read = (): unknown => readArguments(typed.split(' ').filter(Boolean));
    expect(read).toThrow(UsageError);
    expect(read).toThrow(message);
    expect(read).toThrow(/^[^\n]+$/);
  });
});

describe('a time that is typed', () => {
  const from = (text: string): number | undefined =>
    readArguments(['backlog', 'dead', 'db', '--from', text])?.from;

  it.each([
    ['2026-02-28', Date.UTC(2026, 1, 28)],
    ['2026-02-28T12:30Z', Date.UTC(2026, 1, 28, 12, 30)],
    ['2026-02-28T12:30:01.5+01:00', Date.UTC(2026, 1, 28, 11, 30, 1, 500)],
    ['1767225600000', 1_767_225_600_000],
  ])('may be %s', (text, expected) => {
    expect(from(text)).toBe(expected);
  });

  it.each([
    ...['yesterday', '2026-02-30', '2026-13-01', '2026-02-28T12:30'],
    ...['2026-02-28T25:00Z', '28.2.2026', '1.5', '1e12'],
  ])('may not be %s', (text) => {
    expect(() => from(text)).toThrow(
      `expected --from to be a day (2026-01-31), a time with its zone (2026-01-31T12:00:00Z) or epoch milliseconds, got "${text}"`,
    );
  });
});
