import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BacklogProcess } from '../support/backlog-process.js';
import { eventually } from '../support/eventually.js';
import { OpenedBacklog, someEvents } from '../support/opened-backlog.js';

const LIMIT_MS = 180_000;
let path: string;
const started: BacklogProcess[] = [];

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'lmdb-backlog-'));
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((one) => one.kill()));
  rmSync(path, { recursive: true, force: true });
});

async function start(durability = 'process'): Promise<BacklogProcess> {
  const one = await BacklogProcess.start(path, path, durability);
  started.push(one);
  return one;
}

function noted(file: string): string[] {
  const name = join(path, file);
  return existsSync(name) ? readFileSync(name, 'utf8').split('\n').slice(0, -1) : [];
}

function countsOf(ids: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const id of ids) {
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}

describe('kill -9 at random moments, while two processes accept and deliver', () => {
  it.each(['process', 'power'])(
    'loses nothing that was accepted, and repeats no more than what was in flight (%s)',
    async (durability) => {
      const rounds = durability === 'process' ? 20 : 3;
      for (let round = 0; round < rounds; round++) {
        const pair = await Promise.all([start(durability), start(durability)]);
        await Promise.all(pair.map((one) => one.ask('run')));
        const enough = noted('settled').length + 50 + Math.random() * 500;
        await eventually(() => {
          expect(noted('settled').length).toBeGreaterThan(enough);
        }, 30_000);
        await Promise.all(pair.map((one) => one.kill()));
      }
      const last = new OpenedBacklog({
        path,
        durability: durability as 'process' | 'power',
      });
      const drained = await last.drain();
      await last.close();
      const sent = countsOf(noted('sent'));
      const settled = countsOf(noted('settled'));
      const arrived = countsOf([...noted('sent'), ...drained]);

      const accepted = noted('accepted');
      expect(accepted.length).toBeGreaterThan(rounds * 50);
      expect(accepted.filter((id) => !arrived.has(id))).toEqual([]);
      // What was sent, and not known to be recorded, was in flight when its process was killed.
      const repeatable = new Map([...sent].map(([id, n]) => [id, n - (settled.get(id) ?? 0)]));
      const tooOften = [...arrived].filter(([id, n]) => n > 1 + (repeatable.get(id) ?? 0));
      expect(tooOften).toEqual([]);
    },
    LIMIT_MS,
  );
});

describe('several processes on one path', () => {
  it(
    'each delivers its own events, and adopts at once what a killed one left',
    async () => {
      const [one, other] = await Promise.all([start(), start()]);
      const ids = (await one.ask('append 30')) as string[];
      expect(await other.ask('lease 100')).toEqual([]);
      const leased = (await one.ask('lease 10')) as string[];
      expect(leased).toEqual(ids.slice(0, 10));
      await one.ask('settle delivered');
      await one.ask('lease 10');
      await one.kill();

      const found = await eventually(async () => {
        const events = (await other.ask('lease 100')) as string[];
        expect(events.length).toBeGreaterThan(0);
        return events;
      }, 30_000);
      expect(found).toEqual(ids.slice(10));
    },
    LIMIT_MS,
  );

  it(
    'an owner that is suspended for too long loses its events, records only what it delivered, and goes on',
    async () => {
      const owner = await start();
      const ids = (await owner.ask('append 30')) as string[];
      expect(await owner.ask('lease 10')).toEqual(ids.slice(0, 10));
      owner.signal('SIGSTOP');

      const heir = new OpenedBacklog({ path });
      expect(await heir.lease()).toBeUndefined();
      await heir.clock.advance(25_000);
      expect(await heir.lease()).toBeUndefined();
      await heir.clock.advance(10_000);
      const lease = await eventually(async () => {
        const some = await heir.lease(20);
        expect(some).toBeDefined();
        return some;
      });
      expect(lease?.events.map(({ event }) => event.id)).toEqual(ids.slice(0, 20));
      await lease?.release();

      owner.signal('SIGCONT');
      // It delivered these; the heir need not.
      expect(await owner.ask('settle delivered')).toMatchObject({ depth: 0 });
      expect(await heir.drain()).toEqual(ids.slice(10));
      const more = (await owner.ask('append 3')) as string[];
      expect(await owner.ask('lease 10')).toEqual(more);
      await owner.ask('settle rejected');
      await owner.close();

      expect(heir.backlog.stats()).toMatchObject({ depth: 0 });
      const letters = [];
      for await (const { event } of heir.backlog.deadLetters()) {
        letters.push(event.id);
      }
      expect(letters).toEqual(more);
      await heir.close();
    },
    LIMIT_MS,
  );

  it(
    'a suspended owner may not declare dead what somebody else has adopted',
    async () => {
      const owner = await start();
      const ids = (await owner.ask('append 5')) as string[];
      await owner.ask('lease 5');
      owner.signal('SIGSTOP');
      const heir = new OpenedBacklog({ path });
      await heir.clock.advance(35_000);
      await eventually(() => {
        expect(heir.backlog.stats().depth).toBe(5);
      });
      owner.signal('SIGCONT');
      await owner.ask('settle rejected');
      expect(await heir.drain()).toEqual(ids);
      await owner.close();
      await heir.close();
    },
    LIMIT_MS,
  );
});

describe('several backlogs in one process', () => {
  it('keep their events apart on one path, and leave the locks of the file alone', async () => {
    const one = new OpenedBacklog({ path });
    const other = new OpenedBacklog({ path }, { path: 'elsewhere' });
    const [a, b] = [someEvents(3), someEvents(4)];
    await Promise.all([one.backlog.append(a), other.backlog.append(b)]);
    expect(await one.drain()).toEqual(a.map(({ id }) => id));
    // `pid device:inode` of every lock; without ours, the next process would take the file for its own.
    const { ino } = statSync(join(path, 'backlog.mdb-lock'));
    expect(readFileSync('/proc/locks', 'utf8')).toMatch(new RegExp(` ${process.pid} \\S+:${ino} `));
    const child = await start();
    await child.ask('append 1');
    await one.backlog.append(someEvents(1));
    expect(await other.drain()).toEqual(b.map(({ id }) => id));
    await one.close();
    await other.backlog.append(someEvents(2));
    expect((await other.drain()).length).toBe(2);
    await other.close();
  });
});
