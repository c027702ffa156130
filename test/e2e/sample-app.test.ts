import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SchedulerRegistry } from '@nestjs/schedule';
import { Tracker } from 'nestjs-tracking';
import type { TrackingEvent } from '../../lib/core/event.js';
import { PaymentsService } from '../../sample-app/src/donations/payments.service.js';
import { RunSchedule } from '../../sample-app/src/donations/run.schedule.js';
import { eventually } from '../support/eventually.js';
import { PERIODS, statsOf, sumOf, withoutGaps } from '../support/marathon-stats.js';
import { deferred } from '../support/recording.js';
import type { Platform, Reply, RunningMarathon } from '../support/running-marathon.js';
import { runMarathon, RUNS } from '../support/running-marathon.js';

const DONORS = 250;
/** Every so manieth donor loses the connection while the bank thinks. */
const ABORTS_EVERY = 25;
const ABORTED = DONORS / ABORTS_EVERY;
const PLATFORMS: Platform[] = ['express', 'fastify'];
const EVENING_MS = 120_000;

/** The last two digits of an amount: how long the bank thinks, in milliseconds. This many: until it is told to go on. */
const UNTIL_TOLD = 99;

/** Returns in another order than it was asked, but in the same one in each run of the test. */
class UnevenPayments extends PaymentsService {
  waiting = 0;
  private readonly told = deferred();

  goOn(): void {
    this.told.resolve();
  }

  override async charge(amountCents: number): Promise<string> {
    if (amountCents % 100 === UNTIL_TOLD) {
      this.waiting++;
      await this.told.promise;
    } else {
      await wait(amountCents % 100);
    }
    return super.charge(amountCents);
  }
}

/** What one donor did, as the donor saw it. */
interface Visit {
  readonly name: string;
  readonly receipts: readonly Reply[];
  /** Given, but no receipt came. */
  readonly abortedCents: number;
}

/** @param connections of those who wait for the bank until it is told to go on */
async function visit(
  { call }: RunningMarathon,
  number: number,
  connections: AbortController[],
): Promise<Visit> {
  const name = `Donor ${number}`;
  const email = `donor-${number}@example.org`;
  const signedIn = await call('/sign-in', { body: { name, email } });
  const token = String(signedIn.body['token']);
  const donate = (amountCents: number, signal?: AbortSignal): Promise<Reply> =>
    call(`/runs/${RUNS[amountCents % RUNS.length]}/donations`, {
      token,
      body: { amountCents, comment: name },
      ...(signal === undefined ? {} : { signal }),
    });
  const amounts = Array.from(
    { length: 1 + (number % 3) },
    (_, index) => 10_000 + 100 * number + ((number * 7 + index * 13) % 40),
  );
  const receipts = await Promise.all(amounts.map((amount) => donate(amount)));
  if (number % ABORTS_EVERY !== 0) {
    return { name, receipts, abortedCents: 0 };
  }
  const abortedCents = 20_000 + UNTIL_TOLD;
  const connection = new AbortController();
  connections.push(connection);
  await expect(donate(abortedCents, connection.signal)).rejects.toThrow(/abort/i);
  return { name, receipts, abortedCents };
}

interface Context {
  readonly feature: string;
  readonly onAir: string;
  readonly request: {
    readonly id: string;
    readonly method: string;
    readonly path: string;
    readonly route: string;
    readonly status?: number;
    readonly durationMs: number;
  };
  readonly user?: { readonly id: string };
  readonly session?: { readonly id: string };
  readonly run?: { readonly id: string };
  readonly payment?: { readonly id: string };
  readonly handler: { readonly class: string; readonly method: string };
}

function until(read: () => number, wanted: number): Promise<void> {
  return eventually(() => {
    expect(read()).toBe(wanted);
  });
}

function contextOf(event: TrackingEvent): Context {
  return event.context as unknown as Context;
}

describe.each(PLATFORMS)('an evening of the marathon on %s', (platform) => {
  let marathon: RunningMarathon;
  let scheduled: readonly string[];
  let visits: readonly Visit[];
  let bad: readonly Reply[];
  let listed: Reply;

  const lines = (name: string): TrackingEvent[] => marathon.lines.filter((event) => event.name === name);

  beforeAll(async () => {
    marathon = await runMarathon(platform, { payments: UnevenPayments });
    // A slow evening is longer than a tick: here only the test ticks.
    const schedule = marathon.app.get(SchedulerRegistry);
    scheduled = schedule.getIntervals();
    scheduled.forEach((name) => {
      schedule.deleteInterval(name);
    });
    const { call } = marathon;
    const donations = '/runs/celeste/donations';
    const connections: AbortController[] = [];
    const numbers = Array.from({ length: DONORS }, (_, index) => index);
    const evening = Promise.all(
      numbers.map(async (number) => {
        await wait(number % 50);
        return visit(marathon, number, connections);
      }),
    );
    const signedIn = await call('/sign-in', {
      body: { name: 'Eve', email: 'EVE@example.org' },
    });
    const token = String(signedIn.body['token']);
    bad = await Promise.all([
      call('/sign-in', { body: { name: ' ', email: 5 } }),
      call('/sign-in', { body: [] }),
      call(donations, { token, body: { amountCents: -5 } }),
      call(donations, {
        token,
        body: { amountCents: 2.5, comment: 'x'.repeat(201) },
      }),
      call(donations, { token, body: '{"amountCents":' }),
      call('/runs/chess/donations', { token, body: { amountCents: 500 } }),
      call(donations, { body: { amountCents: 500 } }),
      call(donations, { token: 'stolen', body: { amountCents: 500 } }),
      call('/stats?by=year'),
    ]);
    listed = await call('/runs');
    const bank = marathon.app.get<UnevenPayments>(PaymentsService);
    await until(() => bank.waiting, ABORTED);
    const lostBefore = marathon.lostReplies();
    connections.forEach((connection) => {
      connection.abort();
    });
    visits = await evening;
    await until(() => marathon.lostReplies(), lostBefore + ABORTED);
    bank.goOn();
    const sent = visits.reduce((sum, { receipts }) => sum + receipts.length, 0);
    await until(() => lines('donation.received').length, sent + ABORTED);
  }, EVENING_MS);

  afterAll(async () => {
    await marathon.close();
  });

  it('thanks every donor for every donation', () => {
    expect(visits).toHaveLength(DONORS);
    for (const { name, receipts } of visits) {
      for (const { status, body } of receipts) {
        expect(status).toBe(201);
        expect(body['thanks']).toBe(`Thank you, ${name}!`);
      }
    }
  });

  it('gives each donation its own donor, session, request and run', () => {
    const donors = new Map(
      lines('donor.signed_in').map(({ data, context }) => [
        data['name'],
        { user: context['user'], session: context['session'] },
      ]),
    );
    expect(donors.size).toBe(DONORS + 1);
    const ids = [...donors.values()].flatMap(({ user, session }) => [
      (user as { id: string }).id,
      (session as { id: string }).id,
    ]);
    expect(new Set(ids).size).toBe(2 * donors.size);
    for (const { data, context } of lines('donation.received')) {
      const path = `/runs/${data['run'] as string}/donations`;
      expect(context).toMatchObject({
        ...donors.get(data['comment']),
        app: 'donation-marathon',
        feature: 'donations',
        onAir: 'celeste',
        run: { id: data['run'] },
        handler: { kind: 'http', class: 'RunsController', method: 'donate' },
        request: { method: 'POST', path, route: '/runs/:run/donations' },
      });
    }
  });

  it('tells the payment from the donation that it belongs to', () => {
    const payments = new Map(lines('payment.charged').map((event) => [event.data['payment'], event]));
    expect(payments.size).toBe(lines('donation.received').length);
    for (const { data, context } of lines('donation.received')) {
      const payment = payments.get((context['payment'] as { id: string }).id);
      expect(payment?.data['amountCents']).toBe(data['amountCents']);
      // Entered after the payment: the bank's own event does not know it.
      expect({ ...payment?.context, payment: context['payment'] }).toEqual(context);
      expect(payment?.context).not.toHaveProperty('payment');
    }
  });

  it('never gives two requests the same id, nor two events', () => {
    const requests = lines('donation.received').map((event) => contextOf(event).request.id);
    expect(new Set(requests).size).toBe(requests.length);
    const ids = marathon.lines.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    // Events of one request are of one user.
    const users = new Map<string, string | undefined>();
    for (const event of marathon.lines) {
      const { request, user } = contextOf(event);
      const known = users.get(request.id) ?? user?.id;
      expect(user?.id).toBe(known);
      users.set(request.id, known);
    }
  });

  it('tells how each request ended, and that some were aborted', () => {
    const received = lines('donation.received').map(contextOf);
    const answered = received.filter(({ request }) => 'status' in request);
    expect(new Set(answered.map(({ request }) => request.status))).toEqual(new Set([201]));
    expect(received.length - answered.length).toBe(ABORTED);
    for (const { request } of received) {
      expect(request.durationMs).toBeGreaterThan(0);
    }
  });

  it('refuses what is wrong, says why, and tracks who tried', () => {
    expect(bad.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400, 404, 401, 401, 400]);
    expect(bad.slice(0, 4).map(({ body }) => body['message'])).toEqual([
      [
        'name: expected a string of 1 to 80 characters',
        'email: expected an e-mail address of 1 to 254 characters',
      ],
      [
        'name: expected a string of 1 to 80 characters',
        'email: expected an e-mail address of 1 to 254 characters',
      ],
      ['amountCents: expected an integer from 100 to 100000000'],
      [
        'amountCents: expected an integer from 100 to 100000000',
        'comment: expected a string of 1 to 200 characters',
      ],
    ]);
    const [eve] = lines('donor.signed_in').filter(({ data }) => data['name'] === 'Eve');
    const refused = lines('donation.refused');
    expect(refused.map(({ data }) => data['error']).sort()).toEqual([
      'BadRequestException',
      'BadRequestException',
      'NotFoundException',
    ]);
    for (const { context } of refused) {
      expect(context['user']).toEqual(eve?.context['user']);
      expect(context['session']).toEqual(eve?.context['session']);
    }
    expect(lines('sign_in.refused').map((event) => contextOf(event).request.status)).toEqual([400, 400]);
  });

  it('lets nobody in without a token, and makes nobody of them', () => {
    const denied = lines('access.denied');
    expect(denied.map(({ data }) => data['reason']).sort()).toEqual(['no token', 'unknown token']);
    for (const event of denied) {
      expect(contextOf(event).user).toBeUndefined();
      expect(contextOf(event).request.status).toBe(401);
    }
  });

  it('tracks what @Track stands on, with what the handler returned', () => {
    expect(listed.body).toMatchObject([{ id: 'celeste' }, { id: 'super-metroid' }, { id: 'portal-2' }]);
    expect(lines('runs.listed')).toMatchObject([
      {
        data: { runs: 3 },
        context: { feature: 'donations', request: { route: '/runs', status: 200 } },
      },
    ]);
    // A request that was refused returned nothing.
    expect(lines('stats.viewed')).toEqual([]);
  });

  it('keeps e-mail addresses to itself and donors from the sponsor', () => {
    expect(JSON.stringify(marathon.lines)).not.toContain('@example.org');
    expect(new Set(lines('donor.signed_in').map(({ data }) => data['email']))).toEqual(new Set(['***']));
    expect(marathon.sponsored.map(({ id }) => id)).toEqual(lines('donation.received').map(({ id }) => id));
    for (const { context } of marathon.sponsored) {
      expect(Object.keys(context)).toEqual(expect.arrayContaining(['feature', 'request', 'run']));
      expect(context).not.toHaveProperty('user');
      expect(context).not.toHaveProperty('session');
    }
  });

  it('adds up to what was paid', async () => {
    const received = lines('donation.received');
    const receipts = visits.flatMap((one) => one.receipts.map(({ body }) => body));
    const abortedCents = visits.reduce((sum, one) => sum + one.abortedCents, 0);
    expect(received).toHaveLength(receipts.length + ABORTED);
    expect(sumOf(received)).toBe(
      receipts.reduce((sum, { amountCents }) => sum + Number(amountCents), abortedCents),
    );
    const { body } = await marathon.call('/runs');
    expect(body).toMatchObject(
      RUNS.map((id) => ({ id, raisedCents: sumOf(received.filter(({ data }) => data['run'] === id)) })),
    );
  });

  it('shows everybody what was given by day, week and month, and counts each donor once', async () => {
    const received = lines('donation.received');
    for (const by of PERIODS) {
      const stats = await marathon.stats(by);
      expect(withoutGaps(stats, RUNS)).toEqual(statsOf(received, RUNS, by));
      expect(stats[0]).toMatchObject({ of: 'all', donors: DONORS });
    }
    expect((await marathon.stats('day'))[0]?.series).toHaveLength(7);
  });

  it('counts what the sponsor refused, reports it, and loses nothing else', async () => {
    const tracked = marathon.lines.length;
    const failed = Math.floor(marathon.sponsored.length / 3);
    expect(failed).toBeGreaterThan(DONORS / 3);
    const tracker = marathon.app.get(Tracker);
    await tracker.flush();
    const { backends } = tracker.stats();
    expect(backends).toMatchObject({
      'events/log': { accepted: tracked, delivered: tracked, dropped: {} },
      'events/collector': { accepted: tracked, delivered: tracked, dead: 0, dropped: {} },
      'sponsor/wall': {
        accepted: marathon.sponsored.length - failed,
        dropped: { failed },
        lastError: "the sponsor's wall did not take donation.received",
      },
      counters: { dropped: {} },
    });
    // One line in 10 s, and no other: an evening on a slow machine has several.
    const [first, ...more] = marathon.warnings;
    for (const warning of [first, ...more]) {
      expect(warning).toContain('backend_failed at sponsor/wall');
    }
  });

  it('starts the next run on schedule, outside every request', () => {
    expect(scheduled).toHaveLength(1);
    marathon.app.get(RunSchedule).startNextRun();
    expect(lines('run.started')).toMatchObject([{ data: { run: 'super-metroid', game: 'Super Metroid' } }]);
    expect(lines('run.started')[0]?.context).toEqual({
      app: 'donation-marathon',
      feature: 'donations',
      job: { name: 'next-run' },
      onAir: 'super-metroid',
    });
  });

  it('delivers everything, the last event too, before it ends', async () => {
    await marathon.close();
    expect(marathon.lines.at(-1)).toMatchObject({
      name: 'marathon.stopped',
      data: { raisedCents: sumOf(lines('donation.received')) },
      context: { job: { name: 'shutdown' } },
    });
    const ids = (events: readonly TrackingEvent[]): string[] => events.map(({ id }) => id).sort();
    expect(ids(marathon.collected())).toEqual(ids(marathon.lines));
  });
});
