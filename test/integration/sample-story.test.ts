import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { TrackingEvent } from '../../lib/core/event.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.mjs';
import { RUN_TYPESCRIPT } from '../support/run-typescript.js';
import type { StartedProcess } from '../support/started-process.js';
import { startNode } from '../support/started-process.js';
import { temporaryFolder } from '../support/marathon-folder.js';

const STORY_MS = 120_000;

interface Marathon {
  readonly process: StartedProcess;
  /** @returns the id of the donation */
  donate(amountCents: number): Promise<string>;
}

/** What has arrived, in the order of emission. */
function collected(dataDir: string): TrackingEvent[] {
  const folder = join(dataDir, 'collected');
  return readdirSync(folder)
    .sort()
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as TrackingEvent);
}

/** Waits until these donations, and no others, have arrived. */
function expectArrived(dataDir: string, donations: readonly string[]): Promise<void> {
  return eventually(() => {
    const arrived = collected(dataDir).filter(({ name }) => name === 'donation.received');
    expect(arrived.map(({ data }) => data['donation']).sort()).toEqual([...donations].sort());
  });
}

describe('the marathon and its collector', () => {
  const started: StartedProcess[] = [];
  let env: Readonly<Record<'PORT' | 'DATA_DIR' | 'COLLECTOR_URL' | 'REDIS_URL', string>>;

  beforeEach(async () => {
    const collectorUrl = `http://127.0.0.1:${await freePort()}`;
    env = { PORT: '0', DATA_DIR: temporaryFolder(), COLLECTOR_URL: collectorUrl, REDIS_URL: '' };
  });

  afterEach(async () => {
    for (const app of started.splice(0)) {
      app.kill('SIGKILL');
      await app.ended();
    }
    rmSync(env.DATA_DIR, { recursive: true });
  });

  const startProgram = (file: string): StartedProcess => {
    const program = startNode([...RUN_TYPESCRIPT, `sample-app/src/${file}`], { env });
    started.push(program);
    return program;
  };

  const startCollector = async (): Promise<StartedProcess> => {
    const collector = startProgram('collector.ts');
    await eventually(() => {
      if (!collector.stdout().startsWith(`Collecting at ${env.COLLECTOR_URL}`)) {
        throw new Error(`the collector does not listen: ${collector.stderr()}`);
      }
    }, STORY_MS);
    return collector;
  };

  const startApp = async (): Promise<Marathon> => {
    const app = startProgram('main.ts');
    const [, url = ''] = await app.said(/runs on (http:\S+), /);
    const post = async (path: string, body: object, token = ''): Promise<Record<string, string>> => {
      const response = await fetch(`${url}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (response.status !== 201) {
        throw new Error(`${path} ${response.status}`);
      }
      return (await response.json()) as Record<string, string>;
    };
    const { token } = await post('/sign-in', { name: 'Ada', email: 'ada@example.org' });
    return {
      process: app,
      donate: async (amountCents) => {
        const { donation } = await post('/runs/celeste/donations', { amountCents }, token);
        return String(donation);
      },
    };
  };

  it(
    'get every donation across, although the collector stops and the app is killed',
    async () => {
      const collector = await startCollector();
      const evening = await startApp();
      const donations = [await evening.donate(500)];
      await expectArrived(env.DATA_DIR, donations);

      collector.kill('SIGKILL');
      await collector.ended();
      for (const amountCents of [100, 200, 300]) {
        donations.push(await evening.donate(amountCents));
      }
      donations.push(...(await Promise.all([400, 600, 700].map((cents) => evening.donate(cents)))));
      await evening.process.said(/destination_failing at events\/collector/);
      await expectArrived(env.DATA_DIR, donations.slice(0, 1));
      evening.process.kill('SIGKILL');
      expect(await evening.process.ended()).toMatchObject({ signal: 'SIGKILL' });

      await startCollector();
      const morning = await startApp();
      await expectArrived(env.DATA_DIR, donations);
      donations.push(await morning.donate(800));
      await expectArrived(env.DATA_DIR, donations);

      morning.process.kill('SIGTERM');
      expect(await morning.process.ended()).toEqual({ code: null, signal: 'SIGTERM' });
      expect(collected(env.DATA_DIR).at(-1)).toMatchObject({
        name: 'marathon.stopped',
        data: { raisedCents: 800 },
      });
      expect(morning.process.stderr()).not.toContain('destination_failing');
    },
    STORY_MS,
  );

  it(
    'keep an event once, however often it is delivered, and refuse what is not a batch',
    async () => {
      const collector = await startCollector();
      const send = async (body: string): Promise<number> =>
        (await fetch(env.COLLECTOR_URL, { method: 'POST', body })).status;
      const batch = JSON.stringify([{ id: '1' }, { id: '../2', name: 'donation.received' }]);
      expect(await send(batch)).toBe(204);
      expect(await send(batch)).toBe(204);
      expect(await send('[{"id":"3"},')).toBe(503);
      expect(collected(env.DATA_DIR).map(({ id }) => id)).toEqual(['../2', '1']);
      expect(collector.stdout()).toContain('donation.received ../2\n');
    },
    STORY_MS,
  );

  it(
    'do without each other: the app that has no collector ends in time and leaves its events on the disk',
    async () => {
      const evening = await startApp();
      const donation = await evening.donate(900);
      evening.process.kill('SIGTERM');
      expect(await evening.process.ended()).toEqual({ code: null, signal: 'SIGTERM' });

      await startCollector();
      await startApp();
      await expectArrived(env.DATA_DIR, [donation]);
      await eventually(() => {
        expect(collected(env.DATA_DIR).map(({ name }) => name)).toContain('marathon.stopped');
      });
    },
    STORY_MS,
  );
});
