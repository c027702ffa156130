import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Collector } from '../../lib/testing.js';
import { startCollector } from '../../lib/testing.js';
import { BacklogProcess } from '../support/backlog-process.js';
import { eventually } from '../support/eventually.js';
import { RUN_TYPESCRIPT } from '../support/run-typescript.js';
import type { StartedProcess } from '../support/started-process.js';
import { startNode } from '../support/started-process.js';

const PROGRAM = fileURLToPath(new URL('../../lib/cli.ts', import.meta.url));
const TOPOLOGY = fileURLToPath(new URL('../support/programs/backlog-topology.ts', import.meta.url));

let path: string;
let collector: Collector;
let status: number;
const apps: BacklogProcess[] = [];

beforeEach(async () => {
  path = mkdtempSync(join(tmpdir(), 'command-line-'));
  status = 200;
  collector = await startCollector({ respond: () => ({ status }) });
});

afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.kill()));
  await collector.close();
  rmSync(path, { recursive: true, force: true });
});

/** A running app, whose tracker is `test` and whose backend is `out`. */
async function startApp(): Promise<BacklogProcess> {
  const app = await BacklogProcess.start(path);
  apps.push(app);
  return app;
}

function start(...args: string[]): StartedProcess {
  return startNode([...RUN_TYPESCRIPT, PROGRAM, ...args], {
    env: { BACKLOG_PATH: path, COLLECTOR_URL: collector.url },
  });
}

async function run(...args: string[]): Promise<{ code: number | null; lines: string[]; stderr: string }> {
  const started = start('backlog', ...args);
  const { code } = await started.ended();
  const lines = started.stdout().split('\n').filter(Boolean);
  return { code, lines, stderr: started.stderr() };
}

function drain(...more: string[]): ReturnType<typeof run> {
  const args = ['--topology', TOPOLOGY, '--tracker', 'test', ...more];
  return run('drain', path, ...args);
}

function idsOf(lines: readonly string[]): string[] {
  return lines.map((line) => (JSON.parse(line) as { event: { id: string } }).event.id);
}

function received(): string[] {
  return collector.requests.flatMap(({ body }) => (JSON.parse(body) as { id: string }[]).map(({ id }) => id));
}

describe('nestjs-tracking backlog, while an app runs', () => {
  it('shows what waits and what is dead, and what is replayed reaches the app', async () => {
    const app = await startApp();
    const ids = (await app.ask('append 5')) as string[];
    await app.ask('lease 2');
    await app.ask('settle rejected');

    const stats = await run('stats', path, '--json');
    expect(stats).toMatchObject({ code: 0, stderr: '' });
    expect(stats.lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        path,
        places: [
          {
            ...{ tracker: 'test', path: 'out', waiting: 3 },
            ...{ bytes: expect.any(Number), oldestMs: expect.any(Number) },
            ...{ dead: { rejected: 2 }, owners: { alive: 1, dead: 0 } },
          },
        ],
      },
    ]);
    const list = await run('list', path);
    expect(idsOf(list.lines)).toEqual(ids.slice(2));
    const dead = await run('dead', path);
    expect(idsOf(dead.lines)).toEqual(ids.slice(0, 2));

    const replayed = await run('replay', path, '--ids', ids[1] ?? '', '--json');
    expect(replayed).toEqual({
      code: 0,
      lines: ['{"replayed":1}'],
      stderr: '',
    });
    await app.ask('lease 3');
    await eventually(async () => {
      expect(await app.ask('lease 1')).toEqual([ids[1]]);
    });
    await app.ask('settle delivered');
    expect(idsOf((await run('dead', path)).lines)).toEqual([ids[0]]);
  });

  it('leaves what the app has in its care to the app', async () => {
    const app = await startApp();
    await app.ask('append 4');
    expect(await drain()).toEqual({
      ...{ code: 0, lines: ['0 delivered, 0 dead, 0 left'] },
      stderr: '4 more are in the care of processes that run, and are theirs to deliver\n',
    });
    expect(received()).toEqual([]);
    expect(await app.ask('lease 10')).toHaveLength(4);
  });
});

describe('nestjs-tracking backlog, after an app was killed', () => {
  let ids: string[];

  beforeEach(async () => {
    const app = await startApp();
    ids = (await app.ask('append 700')) as string[];
    await app.ask('lease 100');
    await app.kill();
  });

  it('delivers what it left, leased events included', async () => {
    const { lines } = await run('stats', path);
    expect(lines).toEqual([
      'out (tracker test)',
      expect.stringMatching(/^ {2}waiting {2}700 events, .+ KiB, the oldest/),
      '  dead     0',
      '  owners   0 alive, 1 dead',
    ]);
    expect(await drain()).toEqual({
      ...{ code: 0, lines: ['700 delivered, 0 dead, 0 left'], stderr: '' },
    });
    expect(received().sort()).toEqual(ids.sort());
    expect((await run('stats', path)).lines).toEqual(['nothing waits, and nothing is dead']);
  });

  it('keeps what cannot be delivered in time, and says so with its exit code', async () => {
    status = 503;
    const { code, lines, stderr } = await drain('--timeout-ms', '300', '--json');
    expect([code, lines]).toEqual([1, ['{"delivered":0,"dead":0,"left":700}']]);
    expect(stderr).toMatch(/\n700 are left at test:out\n$/);
    expect((await run('list', path)).lines).toHaveLength(700);
  });

  it('ends in order at a SIGTERM', async () => {
    status = 503;
    const started = start(...['backlog', 'drain', path, '--topology', TOPOLOGY], ...['--tracker', 'test']);
    await started.said(/destination_failing/);
    started.kill('SIGTERM');
    expect(await started.ended()).toEqual({ code: 1, signal: null });
    expect(started.stdout()).toBe('0 delivered, 0 dead, 700 left\n');
    expect(idsOf((await run('list', path)).lines).sort()).toEqual(ids.sort());
  });

  it('ends quietly when nobody reads on', async () => {
    const app = await startApp();
    await app.ask('append 3000');
    const started = start('backlog', 'list', path);
    await eventually(() => {
      expect(started.stdout()).not.toBe('');
    });
    started.stopReading();
    expect(await started.ended()).toEqual({ code: 0, signal: null });
    expect(started.stderr()).toBe('');
  });

  it('tells in one line that the file is damaged', async () => {
    truncateSync(join(path, 'backlog.mdb'), 10_000);
    for (const command of ['stats', 'list', 'dead', 'replay']) {
      const { code, lines, stderr } = await run(command, path);
      expect([code, lines]).toEqual([1, []]);
      expect(stderr).toMatch(/^nestjs-tracking: [^\n]+ is damaged [^\n]+\n$/);
    }
  });
});

describe('nestjs-tracking', () => {
  it.each([
    [2, 'backlog'],
    [2, 'backlog stats'],
    [2, 'backlog dead . --from yesterday'],
    [1, 'backlog stats nowhere'],
    [1, 'backlog stats package.json'],
  ])('ends with %d and one line on %s', async (expected, typed) => {
    const started = start(...typed.split(' '));
    expect(await started.ended()).toEqual({ code: expected, signal: null });
    expect(started.stdout()).toBe('');
    expect(started.stderr()).toMatch(/^nestjs-tracking: [^\n]+\n$/);
  });
});
