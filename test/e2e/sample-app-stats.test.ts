import { readdirSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { TrackingEvent } from '../../lib/core/event.js';
import { DonationsService } from '../../sample-app/src/donations/donations.service.js';
import { PaymentsService } from '../../sample-app/src/donations/payments.service.js';
import { eventually } from '../support/eventually.js';
import { temporaryFolder } from '../support/marathon-folder.js';
import { PERIODS, statsOf, withoutGaps } from '../support/marathon-stats.js';
import { deferred } from '../support/recording.js';
import { RedisServer } from '../support/redis-server.js';
import type { MarathonOptions, Platform, RunningMarathon } from '../support/running-marathon.js';
import { runMarathon, RUNS } from '../support/running-marathon.js';

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

function received({ lines }: RunningMarathon): TrackingEvent[] {
  return lines.filter(({ name }) => name === 'donation.received');
}

async function donate(marathon: RunningMarathon, token: string, run: string, cents: number): Promise<void> {
  expect(await marathon.donate(token, run, cents)).toMatchObject({ status: 201 });
}

async function expectStats({ stats }: RunningMarathon, events: readonly TrackingEvent[]): Promise<void> {
  for (const by of PERIODS) {
    expect(withoutGaps(await stats(by), RUNS)).toEqual(statsOf(events, RUNS, by));
  }
}

/** Shuts the app down while somebody donates. */
async function closeAroundDonation(marathon: RunningMarathon, token: string): Promise<void> {
  const bank = marathon.app.get<ThoughtfulPayments>(PaymentsService);
  const waits = jest.spyOn(marathon.app.get(DonationsService), 'beforeApplicationShutdown');
  const donated = donate(marathon, token, 'celeste', THOUGHT_ABOUT);
  await bank.asked.promise;
  const closed = marathon.close();
  await eventually(() => {
    expect(waits).toHaveBeenCalled();
  });
  bank.told.resolve();
  await donated;
  await closed;
}

/** Two evenings of one marathon, to both of which Ada comes, are counted as one. */
async function expectTwoEvenings(platform: Platform, options: MarathonOptions): Promise<void> {
  const first = await runMarathon(platform, { ...options, payments: ThoughtfulPayments });
  const [ada, bob] = [await first.signIn('ada'), await first.signIn('bob')];
  await donate(first, ada, 'portal-2', 2_500);
  await donate(first, ada, 'celeste', 1_000);
  await closeAroundDonation(first, bob);
  expect(received(first)).toHaveLength(3);
  // The collector has them all, and the last one of the evening.
  expect(first.collected().map(({ id }) => id)).toEqual(first.lines.map(({ id }) => id));
  expect(first.collected().at(-1)).toMatchObject({ name: 'marathon.stopped', data: { raisedCents: 3_999 } });

  const second = await runMarathon(platform, options);
  await expectStats(second, received(first));
  await donate(second, await second.signIn('ADA'), 'celeste', 5_000);
  await donate(second, await second.signIn('eve'), 'super-metroid', 100);
  const all = [...received(first), ...received(second)];
  expect(statsOf(all, [], 'day')).toMatchObject([{ donations: 5, amountCents: 9_099, donors: 3 }]);
  await expectStats(second, all);
  await second.close();
  expect(second.warnings.join()).not.toContain('counters');
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
    'go on after a restart, and no counter is left on the disk',
    async () => {
      await expectTwoEvenings('express', options);

      expect(readdirSync(dataDir)).toEqual(['backlog']);
      // The app has closed its connection: this one is the only one.
      const client = server.client();
      const clients = String(await client.client('LIST'))
        .trim()
        .split('\n');
      client.disconnect();
      expect(clients).toHaveLength(1);
    },
    START_MS,
  );

  it(
    'wait while Redis is down: donors are thanked, and nothing is lost',
    async () => {
      const marathon = await runMarathon('express', options);
      const ada = await marathon.signIn('ada');
      await server.kill();
      await donate(marathon, ada, 'celeste', 700);
      expect(await marathon.call('/stats')).toMatchObject({ status: 500 });

      await server.start();
      await eventually(async () => {
        await expectStats(marathon, received(marathon));
      });
      await marathon.close();
    },
    START_MS,
  );
});
