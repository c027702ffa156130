import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { open as openDatabase } from 'lmdb';
import type { TrackingEvent } from '../../../lib/core/event.js';
import { storedEvent } from '../../../lib/core/event.js';
import type { DeadReason } from '../../../lib/delivery/dead-letter.js';
import type { FakeClock } from '../../../lib/testing.js';
import { fakeClock } from '../../../lib/testing.js';
import { CommandLine } from '../../support/command-line.js';
import { OpenedBacklog } from '../../support/opened-backlog.js';

const START = Date.UTC(2026, 0, 31, 12);

let folder: string;
let clock: FakeClock;
let cli: CommandLine;
const open: OpenedBacklog[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cli-'));
  clock = fakeClock(START);
  cli = new CommandLine(folder);
  cli.clock = clock;
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
  rmSync(folder, { recursive: true, force: true });
});

function backlog(path = 'out', tracker = 'default'): OpenedBacklog {
  const one = new OpenedBacklog({ path: join(folder, 'db') }, { clock, path, tracker });
  open.push(one);
  return one;
}

function event(id: string, name = 'order.created'): TrackingEvent {
  return storedEvent(
    `{"id":"${id}","name":"${name}","timestamp":"2026-01-01T00:00:00.000Z","data":{},"context":{}}`,
  );
}

/** Has these events refused. */
async function bury(
  { backlog: at }: OpenedBacklog,
  reason: DeadReason,
  ...events: TrackingEvent[]
): Promise<void> {
  await at.append(events);
  const lease = await at.lease({
    ...{ maxEvents: 1_000, maxBytes: 1_000_000, maxDelayMs: 0 },
  });
  await lease?.settle([{ events: lease.events, outcome: { reason, status: 404, body: 'gone' } }]);
}

function idsOf(lines: readonly string[]): string[] {
  return lines.map((line) => (JSON.parse(line) as { event: { id: string } }).event.id);
}

describe('backlog stats', () => {
  it('tells what waits and what is dead, by tracker and path', async () => {
    const one = backlog();
    const two = backlog('logs/http', 'audit');
    await bury(one, 'rejected', event('a'), event('b'));
    await bury(one, 'expired', event('c'));
    await one.backlog.append([event('d'), event('e')]);
    await two.close();
    await clock.advance(61_000);

    expect(await cli.run('backlog', 'stats', 'db')).toEqual({
      code: 0,
      out: [
        'out (tracker default)',
        '  waiting  2 events, 190 bytes, the oldest for 1 min 1 s',
        '  dead     3 (rejected 2, expired 1)',
        '  owners   1 alive, 0 dead',
      ],
      said: [],
    });
    const { out } = await cli.run('backlog', 'stats', 'db', '--json');
    expect(out.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        path: 'db',
        places: [
          {
            ...{ tracker: 'default', path: 'out', waiting: 2, bytes: 190 },
            ...{ oldestMs: 61_000, dead: { rejected: 2, expired: 1 } },
            owners: { alive: 1, dead: 0 },
          },
        ],
      },
    ]);
  });

  it('passes over a dead letter that cannot be read', async () => {
    const one = backlog();
    await bury(one, 'rejected', event('a'));
    await clock.advance(1);
    await bury(one, 'expired', event('b'));
    await one.close();
    const db = openDatabase<Buffer, Buffer>({
      path: join(folder, 'db', 'backlog.mdb'),
      ...{ encoding: 'binary', keyEncoding: 'binary' },
      ...{ useVersions: true, noSync: true, overlappingSync: false },
    });
    const start = Buffer.from('d');
    const [first] = db.getKeys({ start, limit: 1 });
    await db.put(first as Buffer, Buffer.from('{"reason":'), 1);
    await db.close();

    const { code, out } = await cli.run('backlog', 'stats', 'db');
    expect(code).toBe(0);
    expect(out).toContain('out (tracker default)');
    expect(out).toContain('  dead     1 (expired 1)');
    expect(idsOf((await cli.run('backlog', 'dead', 'db')).out)).toEqual(['b']);
  });

  it('counts what is settled out of a chunk no more', async () => {
    const one = backlog();
    await one.backlog.append([event('a'), event('b'), event('c')]);
    const lease = await one.lease(2);
    await lease?.settle([{ events: lease.events, outcome: 'delivered' }]);
    const { out } = await cli.run('backlog', 'stats', 'db');
    expect(out[1]).toBe('  waiting  1 event, 95 bytes, the oldest for 0 ms');
    expect(idsOf((await cli.run('backlog', 'list', 'db')).out)).toEqual(['c']);
  });

  it('knows owners that ended, and places of which only dead letters are left', async () => {
    const one = backlog();
    await one.backlog.append([event('a')]);
    await one.close();
    const two = backlog('logs', 'audit');
    await bury(two, 'rejected', event('b'));
    await two.close();
    const { out } = await cli.run('backlog', 'stats', 'db');
    expect(out).toEqual([
      'logs (tracker audit)',
      '  waiting  0 events',
      '  dead     1 (rejected 1)',
      '  owners   0 alive, 0 dead',
      'out (tracker default)',
      '  waiting  1 event, 95 bytes, the oldest for 0 ms',
      '  dead     0',
      '  owners   0 alive, 1 dead',
    ]);
  });

  it('says when there is nothing', async () => {
    await backlog().close();
    expect(await cli.run('backlog', 'stats', 'db')).toEqual({
      ...{ code: 0, out: ['nothing waits, and nothing is dead'], said: [] },
    });
  });

  it('says how far it is when it takes long, and ends when it is told to', async () => {
    await backlog().backlog.append([event('a')]);
    let ms = 0;
    cli.clock = { ...clock, monotonicMs: () => (ms += 1_000) };
    expect((await cli.run('backlog', 'stats', 'db')).said).toEqual(['default:out: 1 event counted']);
    cli.stop.abort();
    expect(await cli.run('backlog', 'stats', 'db')).toEqual({
      ...{ code: 1, out: [] },
      said: ['nestjs-tracking: stopped: default:out: 1 event counted'],
    });
  });
});

describe('backlog list', () => {
  it('writes a line of JSON for each event that waits', async () => {
    await backlog().backlog.append([event('a')]);
    const { out } = await cli.run('backlog', 'list', 'db');
    expect(out.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        ...{ tracker: 'default', path: 'out' },
        acceptedAt: '2026-01-31T12:00:00.000Z',
        event: { ...event('a') },
      },
    ]);
  });

  it('chooses by place, by name and by number', async () => {
    const [one, two] = [backlog('one'), backlog('two', 'audit')];
    await one.backlog.append([event('a'), event('b', 'page.viewed')]);
    await two.backlog.append([event('c'), event('d')]);
    const ids = async (...args: string[]): Promise<string[]> =>
      idsOf((await cli.run('backlog', 'list', 'db', ...args)).out);
    expect(await ids()).toEqual(['c', 'd', 'a', 'b']);
    expect(await ids('--place', 'one')).toEqual(['a', 'b']);
    expect(await ids('--place', 'audit:two')).toEqual(['c', 'd']);
    expect(await ids('--name', 'page.*')).toEqual(['b']);
    expect(await ids('--limit', '3')).toEqual(['c', 'd', 'a']);
    cli.reads = 1;
    expect(await ids()).toEqual(['c']);
  });

  it('names the places that there are', async () => {
    await backlog('one').backlog.append([event('a')]);
    expect(await cli.run('backlog', 'list', 'db', '--place', 'on')).toEqual({
      ...{ code: 1, out: [] },
      said: ['nestjs-tracking: nothing is kept of on; there is default:one'],
    });
  });
});

describe('backlog dead', () => {
  beforeEach(async () => {
    const one = backlog();
    await bury(one, 'rejected', event('a'));
    await clock.advance(1_000);
    await bury(one, 'expired', event('b'), event('c', 'page.viewed'));
  });

  it('writes a line of JSON for each dead letter', async () => {
    const { out } = await cli.run('backlog', 'dead', 'db', '--limit', '1');
    expect(out.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        ...{ tracker: 'default', path: 'out', at: '2026-01-31T12:00:00.000Z' },
        ...{ reason: 'rejected', status: 404, body: 'gone' },
        event: { ...event('a') },
      },
    ]);
  });

  it.each([
    ['', ['a', 'b', 'c']],
    ['--reason expired', ['b', 'c']],
    ['--name order.*', ['a', 'b']],
    ['--ids c,a,x', ['a', 'c']],
    ['--from 2026-01-31T12:00:01Z', ['b', 'c']],
    [`--to ${START}`, ['a']],
    ['--from 2026-02-01', []],
    ['--to 2026-01-30', []],
    ['--from 2026-01-31 --to 2026-01-31 --name *.created', ['a', 'b']],
    ['--place out --limit 2', ['a', 'b']],
  ])('chooses with %s', async (typed, expected) => {
    const args = typed.split(' ').filter(Boolean);
    const { out } = await cli.run('backlog', 'dead', 'db', ...args);
    expect(idsOf(out).sort()).toEqual(expected);
  });
});

describe('backlog replay', () => {
  it('makes the chosen ones wait again, with a new age, for whoever delivers there', async () => {
    const one = backlog();
    await bury(one, 'rejected', event('a'), event('b'), event('c'));
    await one.close();
    await clock.advance(5_000);
    const args = ['db', '--ids', 'a,c'];
    expect(await cli.run('backlog', 'replay', ...args)).toEqual({
      ...{ code: 0, said: [] },
      out: ['2 replayed: the running app, or the next one, delivers them'],
    });
    const again = await cli.run('backlog', 'replay', ...args, '--json');
    expect(again.out).toEqual(['{"replayed":0}']);

    const dead = await cli.run('backlog', 'dead', 'db');
    expect(idsOf(dead.out)).toEqual(['b']);
    const two = backlog();
    expect(two.backlog.stats()).toMatchObject({ depth: 2, oldestMs: 0 });
    expect(await two.drain()).toEqual(['a', 'c']);
  });

  it('writes chunks of a bounded size', async () => {
    const one = backlog();
    const large = 'x'.repeat(300_000);
    await bury(one, 'rejected', event(`a${large}`), event(`b${large}`));
    await one.close();
    const { out } = await cli.run('backlog', 'replay', 'db', '--json');
    expect(out).toEqual(['{"replayed":2}']);
    const ids = await backlog().drain();
    expect(ids.map(([first]) => first).sort()).toEqual(['a', 'b']);
  });

  it('does not do twice what two do at once', async () => {
    const one = backlog();
    const events = Array.from({ length: 500 }, (_, n) => event(`e${n}`));
    await bury(one, 'rejected', ...events);
    await one.close();
    const answers = await Promise.all(
      Array.from({ length: 3 }, () => cli.run('backlog', 'replay', 'db', '--json')),
    );
    const counts = answers.map(({ out: [line = ''] }) => (JSON.parse(line) as { replayed: number }).replayed);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(500);
    expect((await backlog().drain()).sort()).toEqual(events.map(({ id }) => id).sort());
  });

  it('ends between two writes when it is told to, and says what it did', async () => {
    const one = backlog();
    const events = Array.from({ length: 300 }, (_, n) => event(`e${n}`));
    await bury(one, 'rejected', ...events);
    await one.close();
    cli.stop.abort();
    expect(await cli.run('backlog', 'replay', 'db')).toEqual({
      ...{ code: 1, out: [] },
      said: ['nestjs-tracking: stopped: 200 replayed'],
    });
    const { out } = await cli.run('backlog', 'dead', 'db');
    expect(out).toHaveLength(100);
  });

  it('knows the tracker of whom only dead letters are left', async () => {
    const one = backlog('out', 'audit');
    await bury(one, 'rejected', event('a'));
    await one.close();
    const { out } = await cli.run('backlog', 'replay', 'db', '--json');
    expect(out).toEqual(['{"replayed":1}']);
    expect(await backlog('out', 'audit').drain()).toEqual(['a']);
  });
});

describe('a path that is wrong', () => {
  it.each([
    ['nowhere', /^nestjs-tracking: \S+nowhere does not exist$/],
    ['file', /^nestjs-tracking: \S+file is not a folder; give the path/],
    ['empty', /^nestjs-tracking: \S+empty holds no backlog.mdb; give/],
    ['text', /backlog.mdb is damaged \(it does not begin like an LMDB file\)/],
  ])('is told in one line: %s', async (path, line) => {
    writeFileSync(join(folder, 'file'), '');
    mkdirSync(join(folder, 'empty'));
    mkdirSync(join(folder, 'text'));
    writeFileSync(join(folder, 'text/backlog.mdb'), 'x'.repeat(10_000));
    writeFileSync(join(folder, 'topology.mjs'), 'export default {backends:{}}');
    for (const [command, ...more] of [
      ...[['stats'], ['list'], ['dead'], ['replay']],
      ['drain', '--topology', 'topology.mjs'],
    ] as [string, ...string[]][]) {
      const answer = await cli.run('backlog', command, path, ...more);
      expect(answer).toMatchObject({ code: 1, out: [] });
      expect(answer.said).toEqual([expect.stringMatching(line)]);
    }
  });
});

describe('wrong usage', () => {
  it('is told in one line, with exit code 2', async () => {
    for (const args of [[], ['backlog', 'drain', 'db']]) {
      const { code, out, said } = await cli.run(...args);
      expect([code, out, said.length]).toEqual([2, [], 1]);
      expect(said[0]).toMatch(/^nestjs-tracking: expected .+ \(nestjs-tracking --help shows the usage\)$/);
    }
  });

  it('is not to ask for help', async () => {
    const { code, out, said } = await cli.run('--help');
    expect([code, said]).toEqual([0, []]);
    expect(out.join()).toMatch(/^Usage: nestjs-tracking backlog/);
  });
});
