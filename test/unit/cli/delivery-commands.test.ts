import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Collector } from '../../../lib/testing.js';
import { startCollector } from '../../../lib/testing.js';
import type { Answer } from '../../support/command-line.js';
import { CommandLine } from '../../support/command-line.js';
import { OpenedBacklog, someEvents } from '../../support/opened-backlog.js';

let folder: string;
let cli: CommandLine;
let collector: Collector;
let status: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cli-'));
  cli = new CommandLine(folder);
  status = 200;
  collector = await startCollector({ respond: () => ({ status }) });
});

afterEach(async () => {
  await collector.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Leaves events that wait, or that are dead. */
async function leave(state: 'waiting' | 'dead', { count = 3, tracker = 'default' } = {}): Promise<void> {
  const one = new OpenedBacklog({ path: join(folder, 'db') }, { tracker });
  await one.backlog.append(someEvents(count));
  if (state === 'dead') {
    const lease = await one.lease();
    const outcome = { reason: 'rejected' } as const;
    await lease?.settle([{ events: lease.events, outcome }]);
  }
  await one.close();
}

function topology({ path = 'db', durability = 'process', form = 'export default' } = {}, more = ''): string {
  const file = `topology-${Math.random()}.mjs`;
  writeFileSync(
    join(folder, file),
    `import { httpBackend } from 'nestjs-tracking/http';
import { lmdbBacklog } from 'nestjs-tracking/lmdb';
${form} {
  shutdownTimeoutMs: 5_000,
  backends: {
    out: httpBackend({
      url: '${collector.url}',
      backlog: lmdbBacklog({ path: '${join(folder, path)}', durability: '${durability}' }),
      batch: { maxDelayMs: 5 },
      retry: { baseMs: 5, maxDelayMs: 20 },
    }),
  },
  ${more}
}`,
  );
  return file;
}

function textOf(file: string): string {
  return readFileSync(join(folder, file), 'utf8');
}

function drain(file: string, ...more: string[]): Promise<Answer> {
  return cli.run('backlog', 'drain', 'db', '--topology', file, ...more);
}

function received(): number {
  return collector.requests.flatMap(({ body }) => JSON.parse(body) as unknown[]).length;
}

describe('backlog drain', () => {
  it.each(['process', 'power'])(
    'delivers what waits, whatever the durability is (%s)',
    async (durability) => {
      await leave('waiting', { count: 1_200 });
      expect(await drain(topology({ durability }))).toEqual({
        ...{ code: 0, out: ['1,200 delivered, 0 dead, 0 left'], said: [] },
      });
      expect(received()).toBe(1_200);
      expect((await cli.run('backlog', 'list', 'db')).out).toEqual([]);
    },
  );

  it.each(['export const options =', 'export default async () => (', 'const options ='])(
    'takes the options from %s',
    async (form) => {
      await leave('waiting');
      const file = topology({ form });
      if (form.endsWith('(')) {
        writeFileSync(join(folder, file), textOf(file).replace(/\}$/, '});'));
      } else if (form.startsWith('const')) {
        // As a compiler to CommonJS leaves it.
        writeFileSync(join(folder, file), `${textOf(file)};\nexport default { default: options };`);
      }
      const { out } = await drain(file, '--json');
      expect(out).toEqual(['{"delivered":3,"dead":0,"left":0}']);
    },
  );

  it('counts what the destination refuses', async () => {
    await leave('waiting');
    status = 422;
    const { code, out } = await drain(topology({}, 'onError() {},'));
    expect([code, out]).toEqual([0, ['0 delivered, 3 dead, 0 left']]);
  });

  it('ends when the time is over, with what is left', async () => {
    await leave('waiting');
    status = 503;
    const answer = await drain(topology({}, 'onError() {},'), ...['--timeout-ms', '1200']);
    expect(answer).toEqual({
      ...{ code: 1, out: ['0 delivered, 0 dead, 3 left'] },
      said: ['0 delivered, 3 are waiting', '3 are left at default:out'],
    });
    const [line = ''] = (await cli.run('backlog', 'stats', 'db', '--json')).out;
    expect(JSON.parse(line)).toMatchObject({
      places: [{ waiting: 3, owners: { alive: 0, dead: 1 } }],
    });
    status = 200;
    expect((await drain(topology())).out).toEqual(['3 delivered, 0 dead, 0 left']);
  });

  it('ends when the user wants it to', async () => {
    await leave('waiting');
    status = 503;
    setTimeout(() => {
      cli.stop.abort();
    }, 50);
    const { code, out } = await drain(topology({}, 'onError() {},'));
    expect([code, out]).toEqual([1, ['0 delivered, 0 dead, 3 left']]);
  });

  it('delivers for the tracker that is named, and tells what is left of others', async () => {
    await leave('waiting', { tracker: 'audit', count: 2 });
    await leave('waiting');
    const answer = await drain(topology(), '--timeout-ms', '500');
    expect(answer).toEqual({
      ...{ code: 1, out: ['3 delivered, 0 dead, 2 left'] },
      said: ['2 are left at audit:out'],
    });
    const { out } = await drain(topology(), '--tracker', 'audit');
    expect(out).toEqual(['2 delivered, 0 dead, 0 left']);
  });

  it('says when the topology has its backlog elsewhere', async () => {
    await leave('waiting');
    const file = topology({ path: 'elsewhere' });
    const { code, out, said } = await drain(file);
    expect([code, out, said.at(-1)]).toEqual([
      ...[1, []],
      `nestjs-tracking: the tracker of ${file} has no lmdbBacklog() at db`,
    ]);
  });

  it.each([
    ['nowhere.mjs', /^nestjs-tracking: nowhere.mjs cannot be loaded: /],
    ['throws.mjs', /throws.mjs cannot be loaded: no such luck$/],
    ['rejects.mjs', /options of rejects.mjs cannot be made: no such luck$/],
    ['empty.mjs', /expected empty.mjs to export the options of a tracker, /],
    ['wrong.mjs', /the tracking options are wrong: - expected backends.out to/],
  ])('tells in one line what is wrong with %s', async (file, line) => {
    await leave('dead');
    const texts: Record<string, string> = {
      'throws.mjs': `throw new Error('no such luck');`,
      'rejects.mjs': `export const options = () => Promise.reject(new Error('no such luck'));`,
      'empty.mjs': 'export const options = {}; export default null;',
      'wrong.mjs': 'export default { backends: { out: 5 } };',
    };
    for (const [name, text] of Object.entries(texts)) {
      writeFileSync(join(folder, name), text);
    }
    const answer = await drain(file);
    expect(answer).toMatchObject({ code: 1, out: [] });
    expect(answer.said).toEqual([expect.stringMatching(line)]);
  });
});

describe('backlog replay with a topology', () => {
  it('sends at once', async () => {
    await leave('dead');
    const args = ['replay', 'db', '--topology', topology()];
    expect(await cli.run('backlog', ...args)).toEqual({
      ...{ code: 0, said: [] },
      out: ['3 replayed, 3 delivered, 0 dead, 0 left'],
    });
    expect(received()).toBe(3);
  });

  it('replays nothing when the topology cannot be loaded', async () => {
    await leave('dead');
    const args = ['replay', 'db', '--topology', 'nowhere.mjs'];
    expect((await cli.run('backlog', ...args)).code).toBe(1);
    expect((await cli.run('backlog', 'dead', 'db')).out).toHaveLength(3);
  });
});
