import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { lmdbBacklog } from 'nestjs-tracking/lmdb';
import type { Collector, CollectorOptions } from 'nestjs-tracking/testing';
import { httpScene } from '../support/http-scene.js';

const { app, collect } = httpScene();

let path: string;

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'lmdb-damage-'));
});

afterEach(() => {
  rmSync(path, { recursive: true, force: true });
});

/** 20 events wait in a file of which a part is overwritten. */
async function damaged(damage: (file: Buffer, at: number) => void, which = 7): Promise<void> {
  const run = app({
    url: 'http://127.0.0.1:9/',
    backlog: lmdbBacklog({ path }),
  });
  for (let i = 0; i < 20; i++) {
    run.tracker.emit('a', { i, text: `text ${i}` });
  }
  await run.close();
  const name = join(path, 'backlog.mdb');
  const file = readFileSync(name);
  for (let at = file.indexOf('{"id":"'); at >= 0; at = file.indexOf('{"id":"', at + 1)) {
    const end = file.indexOf('}', at);
    if (file.subarray(at, end).includes(`"text ${which}"`)) {
      damage(file, at);
    }
  }
  writeFileSync(name, file);
}

/** Takes what is JSON. */
const strict: CollectorOptions = {
  respond: ({ body }) => {
    try {
      JSON.parse(body);
      return {};
    } catch {
      return { status: 400, body: 'no JSON' };
    }
  },
};

const arrived = ({ requests }: Collector): unknown[] =>
  requests
    .flatMap(({ events }) => events)
    .map(({ data }) => data['i'])
    .sort((a, b) => Number(a) - Number(b));

const ALL = Array.from({ length: 20 }, (_, i) => i);
const OTHERS = ALL.filter((i) => i !== 7);

describe('a file of which a part was overwritten', () => {
  it.each<[string, (file: Buffer, at: number) => void]>([
    ['the whole of an event', (file, at) => file.fill(0, at, at + 100)],
    ['the beginning of an event', (file, at) => file.fill(0xff, at + 2, at + 20)],
  ])('loses %s alone, and tells of it', async (_, damage) => {
    await damaged(damage);
    const collector = await collect(strict);
    const run = app({ url: collector.url, backlog: lmdbBacklog({ path }) });
    expect(run.stats()).toMatchObject({ accepted: 20, depth: 20 });
    await run.until(({ depth }) => depth === 0);
    expect(run.stats()).toMatchObject({ delivered: 19, dead: 1, depth: 0 });
    expect(arrived(collector)).toEqual(OTHERS);
    expect(run.reports).toMatchObject([
      {
        code: 'backlog_failed',
        message: `${join(path, 'backlog.mdb')} is damaged: 1 events in it cannot be read, and are lost`,
      },
    ]);
    await run.close();
    const next = app({ url: collector.url, backlog: lmdbBacklog({ path }) });
    expect(next.stats()).toMatchObject({ accepted: 0, depth: 0 });
  });

  it('loses all events of which the lengths are gone, and nothing else', async () => {
    // They stand before the first of the 20, in four bytes each.
    await damaged((file, at) => file.fill(0xff, at - 80, at - 72), 0);
    const collector = await collect(strict);
    const run = app({ url: collector.url, backlog: lmdbBacklog({ path }) });
    await run.until(({ depth }) => depth === 0);
    run.tracker.emit('a', { i: 100 });
    await run.tracker.flush();
    expect(run.stats()).toMatchObject({ delivered: 1, dead: 20 });
    expect(arrived(collector)).toEqual([100]);
  });

  it('sends nobody what is no event inside: the destination says so, or the format', async () => {
    await damaged((file, at) => file.fill('#', at + 108, at + 114));
    const collector = await collect(strict);
    const run = app({ url: collector.url, backlog: lmdbBacklog({ path }) });
    await run.settled();
    expect(run.stats()).toMatchObject({ delivered: 19, dead: 1 });
    expect(arrived(collector)).toEqual(OTHERS);
    expect(run.lost).toMatchObject([{ reason: 'rejected', status: 400 }]);
    expect(await run.backend.replay()).toBe(1);
    await run.until(({ depth }) => depth === 0);
    await run.close();
  });

  it('is no harm to a format that reads events', async () => {
    await damaged((file, at) => file.fill('#', at + 108, at + 114));
    const collector = await collect(strict);
    const run = app({
      ...{ url: collector.url, backlog: lmdbBacklog({ path }) },
      format: 'gdq',
      batch: { partitionBy: ({ data }) => String(Number(data['i']) % 2) },
    });
    await run.settled();
    expect(run.stats()).toMatchObject({ delivered: 19, dead: 1 });
    expect(run.lost).toMatchObject([{ reason: 'unencodable' }]);
  });

  it('evicts what it cannot read like anything else', async () => {
    await damaged((file, at) => file.fill(0, at, at + 100));
    const run = app({
      url: 'http://127.0.0.1:9/',
      batch: { maxDelayMs: 60_000 },
      backlog: lmdbBacklog({ path, maxEvents: 10 }),
    });
    for (let i = 0; i < 10; i++) {
      await run.tracker.emitAsync('b', { i });
    }
    expect(run.stats()).toMatchObject({ accepted: 30, dead: 20, depth: 10 });
    expect(run.reports.map(({ code }) => code)).toContain('backlog_failed');
    await run.until(() => run.lost.flatMap(({ events }) => events).length > 18);
    expect(run.lost.flatMap(({ events }) => events).map(({ data }) => data['i'])).toEqual(OTHERS);
  });
});
