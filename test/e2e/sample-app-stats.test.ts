import type { Server } from 'node:http';
import { readdirSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TrackingEvent } from '../../lib/core/event.js';
import { PaymentsService } from '../../sample-app/src/donations/payments.service.js';
import { RedisConnection } from '../../sample-app/src/redis/redis.connection.js';
import type { Stats } from '../../sample-app/src/stats/stats.js';
import { eventually } from '../support/eventually.js';
import { temporaryFolder } from '../support/marathon-folder.js';
import { statsOf, topRunsOf, withoutGaps } from '../support/marathon-stats.js';
import { deferred } from '../support/recording.js';
import { RedisServer } from '../support/redis-server.js';
import type { MarathonOptions, Platform, RunningMarathon } from '../support/running-marathon.js';
import { runMarathon } from '../support/running-marathon.js';

const RUNS = ['celeste', 'super-metroid', 'portal-2'];
const START_MS = 60_000;
/** What the bank thinks about until it is told to go on. */
const THOUGHT_ABOUT = 499;

class ThoughtfulPayments extends PaymentsService {
  readonly asked = deferred();
  readonly told = deferred();

  override async charge(amountCents: number): Promise<string> {
    if (amountCents === THOUGHT_ABOUT) {
      this.asked.resolve();
      await this.told.promise;
    }
    return super.charge(amountCents);
  }
}

function receivedBy({ lines }: RunningMarathon): TrackingEvent[] {
  return lines.filter(({ name }) => name === 'donation.received');
}

async function signIn({ call }: RunningMarathon, name: string): Promise<string> {
  const email = `${name}@example.org`;
  const { body } = await call('/sign-in', { body: { name, email } });
  return String(body['token']);
}

async function donate(
  { call }: RunningMarathon,
  token: string,
  run: string,
  amountCents: number,
): Promise<void> {
  const { status } = await call(`/runs/${run}/donations`, {
    token,
    body: { amountCents },
  });
  expect(status).toBe(201);
}

/** Waits until GET /stats says what was received. */
async function expectStats(marathon: RunningMarathon, received: readonly TrackingEvent[]): Promise<void> {
  await eventually(async () => {
    const { status, body } = await marathon.call('/stats');
    expect(status).toBe(200);
    const { topRuns, ...all } = body as unknown as Stats;
    expect(withoutGaps(all)).toEqual(statsOf(received));
    expect(topRuns.map(withoutGaps)).toEqual(topRunsOf(received, RUNS));
  });
}

/** Shuts the app down while somebody donates. */
async function closeAroundDonation(marathon: RunningMarathon, token: string): Promise<void> {
  const bank = marathon.app.get<ThoughtfulPayments>(PaymentsService);
  const donated = donate(marathon, token, 'celeste', THOUGHT_ABOUT);
  await bank.asked.promise;
  const closed = marathon.app.close();
  const server = marathon.app.getHttpServer() as Server;
  await eventually(() => {
    expect(server.listening).toBe(false);
  });
  bank.told.resolve();
  await donated;
  // Its client's connections would hold up the end.
  await marathon.close();
  await closed;
}

/** Two evenings of one marathon, to both of which Ada comes, are counted as one. */
async function expectTwoEvenings(platform: Platform, options: MarathonOptions): Promise<void> {
  const first = await runMarathon(platform, {
    ...options,
    payments: ThoughtfulPayments,
  });
  const [ada, bob] = [await signIn(first, 'ada'), await signIn(first, 'bob')];
  await donate(first, ada, 'portal-2', 2_500);
  await donate(first, ada, 'celeste', 1_000);
  await closeAroundDonation(first, bob);
  const received = receivedBy(first);
  expect(received).toHaveLength(3);

  const second = await runMarathon(platform, options);
  await expectStats(second, received);
  await donate(second, await signIn(second, 'ada'), 'celeste', 5_000);
  await donate(second, await signIn(second, 'eve'), 'super-metroid', 100);
  const all = [...received, ...receivedBy(second)];
  expect(statsOf(all)).toMatchObject({
    donations: 5,
    amountCents: 9_099,
    donors: 3,
  });
  await expectStats(second, all);
  expect(second.warnings.join()).not.toContain('counters');
  await second.close();
}

describe('the numbers of the marathon in DATA_DIR', () => {
  let dataDir: string;

  beforeAll(() => {
    dataDir = temporaryFolder();
  });

  afterAll(() => {
    rmSync(dataDir, { recursive: true });
  });

  it(
    'go on after a restart, and nothing of the last moment is missing',
    () => expectTwoEvenings('fastify', { dataDir }),
    START_MS,
  );
});

describe('the numbers of the marathon at REDIS_URL', () => {
  let dataDir: string;
  let server: RedisServer;
  let options: MarathonOptions;

  beforeAll(async () => {
    server = await RedisServer.start();
    dataDir = temporaryFolder();
    options = { dataDir, redisUrl: `redis://127.0.0.1:${server.port}` };
  }, START_MS);

  afterAll(async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true });
  });

  it(
    'go on after a restart, and nothing is left on the disk',
    async () => {
      await expectTwoEvenings('express', options);

      expect(readdirSync(dataDir)).toEqual([]);
      // The app has closed its connection: this one is the only one.
      const client = server.client();
      const clients = String(await client.client('LIST'))
        .trim()
        .split('\n');
      const keys = await client.keys('*');
      client.disconnect();
      expect(clients).toHaveLength(1);
      expect(keys.every((key) => key.startsWith('marathon:'))).toBe(true);
    },
    START_MS,
  );

  it(
    'wait while Redis is down: donors are thanked, who asks is told, and nothing is lost',
    async () => {
      const marathon = await runMarathon('express', options);
      const ada = await signIn(marathon, 'ada');
      await server.kill();
      await donate(marathon, ada, 'celeste', 700);
      expect(await marathon.call('/stats')).toMatchObject({
        status: 503,
        body: {
          message: 'the counters cannot be read now; donations are counted all the same',
        },
      });
      let errors = 0;
      marathon.app.get(RedisConnection).client?.on('error', () => errors++);
      await eventually(() => {
        expect(errors).toBeGreaterThan(1);
      });
      const told = marathon.warnings.filter((line) => line.startsWith('Redis cannot be reached'));
      expect(told).toHaveLength(1);

      await server.start();
      await expectStats(marathon, receivedBy(marathon));
      await marathon.close();
    },
    START_MS,
  );
});

describe('GET /stats.txt', () => {
  it('draws the numbers for a terminal', async () => {
    const marathon = await runMarathon('express');
    await donate(marathon, await signIn(marathon, 'ada'), 'portal-2', 2_500);
    const answer = await eventually(async () => {
      const response = await fetch(`${await marathon.app.getUrl()}/stats.txt`);
      const text = await response.text();
      expect(text).toMatch(/^portal-2 +▁{6}▇ .* 25\.00 +1 +1$/m);
      return { type: response.headers.get('content-type'), text };
    });
    expect(answer.type).toBe('text/plain; charset=utf-8');
    expect(answer.text.split('\n').map((line) => line.split(' ')[0])).toEqual([
      'run',
      ...['portal-2', 'celeste', 'super-metroid'],
      ...['all', ''],
    ]);
    await marathon.close();
    expect(marathon.lines.filter(({ name }) => name === 'stats.viewed').at(-1)).toMatchObject({
      data: { as: 'text' },
      context: { feature: 'stats' },
    });
  });
});
