import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { TrackingEvent } from '../../lib/core/event.js';
import type { TrackerStats } from '../../lib/core/stats.js';
import { eventually } from '../support/eventually.js';
import { temporaryFolder } from '../support/marathon-folder.js';
import { RUN_TYPESCRIPT } from '../support/run-typescript.js';
import type { StartedProcess } from '../support/started-process.js';
import { startNode } from '../support/started-process.js';

const STORY_MS = 120_000;
const ADMIN_TOKEN = 'letmein';

interface Marathon {
  readonly process: StartedProcess;
  /** As the admin, unless a donor's token is given. POST with a body. */
  call<T>(path: string, body?: object, token?: string): Promise<T>;
  /** Answers the id of the donation. */
  donate(amountCents: number): Promise<string>;
}

interface CollectorState {
  readonly running: boolean;
  readonly pid?: number;
}

function isAlive(pid = NaN): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function collectedIn(dataDir: string): TrackingEvent[] {
  return readFileSync(join(dataDir, 'collected.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TrackingEvent);
}

/** Waits until these donations, and no others, have arrived; fails when one of them came twice. */
async function expectArrived(dataDir: string, donations: readonly string[]): Promise<void> {
  await eventually(() => {
    const arrived = collectedIn(dataDir)
      .filter(({ name }) => name === 'donation.received')
      .map(({ data }) => data['donation'] as string);
    expect(arrived.sort()).toEqual([...donations].sort());
  });
}

async function expectWaiting({ call }: Marathon, least: number): Promise<void> {
  await eventually(async () => {
    const { backends } = await call<TrackerStats>('/admin/stats');
    expect(backends['collector']).toMatchObject({ state: 'retrying' });
    expect(backends['collector']?.depth).toBeGreaterThanOrEqual(least);
  });
}

describe('the marathon and its collector', () => {
  const started: StartedProcess[] = [];
  let dataDir: string;

  beforeEach(() => {
    dataDir = temporaryFolder();
  });

  afterEach(async () => {
    for (const app of started.splice(0)) {
      app.kill('SIGKILL');
      // With its collector, which holds the other end of its standard error.
      await app.ended();
    }
    rmSync(dataDir, { recursive: true });
  });

  const start = async (): Promise<Marathon> => {
    const app = startNode([...RUN_TYPESCRIPT, 'sample-app/src/main.ts'], {
      env: {
        ...{ PORT: '0', COLLECTOR_PORT: '' },
        DATA_DIR: dataDir,
        ADMIN_TOKEN,
      },
    });
    started.push(app);
    const [, url = ''] = await app.said(/runs on (http:\S+), /);
    const call: Marathon['call'] = async (path, body, token = ADMIN_TOKEN) => {
      const response = await fetch(`${url}${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      expect(`${path} ${response.status}`).toMatch(/ 20[01]$/);
      return (await response.json()) as never;
    };
    const ada = { name: 'Ada', email: 'ada@example.org' };
    const { token } = await call<{ token: string }>('/sign-in', ada);
    return {
      process: app,
      call,
      donate: async (amountCents) => {
        const path = '/runs/celeste/donations';
        const receipt = await call<{ donation: string }>(...([path, { amountCents }, token] as const));
        return receipt.donation;
      },
    };
  };

  it(
    'get every donation across, once, although the collector stops and the app is killed',
    async () => {
      const evening = await start();
      const before = await evening.donate(500);
      await expectArrived(dataDir, [before]);
      await evening.process.said(/collector <- donation\.received [\da-f-]{36}\n/);

      const { pid } = await evening.call<CollectorState>('/collector/start', {});
      await expect(evening.call('/collector/stop', {}, 'guessed')).rejects.toThrow('/collector/stop 401');
      expect(isAlive(pid)).toBe(true);
      expect(await evening.call('/collector/stop', {})).toEqual({
        running: false,
      });
      expect(isAlive(pid)).toBe(false);

      const missed: string[] = [];
      for (const amountCents of [100, 200, 300]) {
        missed.push(await evening.donate(amountCents));
      }
      missed.push(...(await Promise.all([400, 600, 700].map((cents) => evening.donate(cents)))));
      // Two events each.
      await expectWaiting(evening, 2 * missed.length);
      await expectArrived(dataDir, [before]);
      evening.process.kill('SIGKILL');
      expect(await evening.process.ended()).toMatchObject({
        signal: 'SIGKILL',
      });

      const morning = await start();
      await expectArrived(dataDir, [before, ...missed]);
      const after = await morning.donate(800);
      await expectArrived(dataDir, [before, ...missed, after]);
      const ids = collectedIn(dataDir).map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      const { backends } = await morning.call<TrackerStats>('/admin/stats');
      expect(backends['collector']).toMatchObject({ state: 'ok', dead: 0 });
    },
    STORY_MS,
  );

  it(
    'do without each other: when the collector dies the app goes on, and ends with it in the end',
    async () => {
      const { process: app, call, donate } = await start();
      const first = await call<CollectorState>('/collector/start', {});
      process.kill(first.pid ?? NaN, 'SIGKILL');
      await app.said(
        /WARN .*The collector has ended \(SIGKILL\)\. Its events wait until it is started again: POST \/collector\/start/,
      );
      const donation = await donate(900);
      await app.said(/destination_failing at collector/);
      const second = await call<CollectorState>('/collector/start', {});
      expect(second).toEqual({ running: true, pid: expect.any(Number) });
      expect(second.pid).not.toBe(first.pid);
      await expectArrived(dataDir, [donation]);

      app.kill('SIGTERM');
      expect(await app.ended()).toEqual({ code: 0, signal: null });
      expect(isAlive(second.pid)).toBe(false);
      // The collector ended last.
      expect(collectedIn(dataDir).at(-1)?.name).toBe('marathon.stopped');
      // To stop what was started is nothing to warn of.
      expect(app.stderr().match(/has ended/g)).toHaveLength(1);
    },
    STORY_MS,
  );
});
