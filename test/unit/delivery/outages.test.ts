import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, it } from '@jest/globals';
import { DELIVERY_CHANNELS } from '../../../lib/delivery/delivery-facts.js';
import { LostEvents } from '../../../lib/delivery/lost-events.js';
import { memoryBacklog } from '../../../lib/delivery/memory-backlog.js';
import type { SendResult } from '../../../lib/formats/encoder.js';
import { ordinaryEvents } from '../../../lib/testing/contract-events.js';
import { fakeClock } from '../../../lib/testing/fake-clock.js';
import type { Delivering } from '../../support/delivery.js';
import { balance, DELIVERED, delivering, rejected, retryable } from '../../support/delivery.js';

const blocked: SendResult = {
  status: 'blocked',
  error: { message: 'HTTP 401', httpStatus: 401 },
};

const codes = (run: Delivering) => run.reports.map(({ code }) => code);

describe('an outage', () => {
  it('costs nothing, and is over as soon as one probe gets through', async () => {
    const run = delivering({ answer: () => retryable() });
    for (let i = 0; i < 50; i++) {
      run.accept(250);
      await run.clock.advance(100);
    }
    expect(run.loop.stats()).toMatchObject({ state: 'retrying', delivered: 0 });
    const probes = run.sent.slice(-5);
    expect(probes.every(({ ids }) => ids.length <= 10)).toBe(true);
    run.answer = () => DELIVERED;
    await run.clock.advance(501);
    expect(run.loop.stats()).toMatchObject({ state: 'ok' });
    await run.clock.advance(1_000);
    expect(run.arrived.size).toBe(50 * 250);
    expect([...run.arrived.values()].every((times) => times === 1)).toBe(true);
    expect(codes(run)).toEqual(['destination_failing', 'destination_recovered']);
  });

  it('is probed by one lane, often at first, seldom later', async () => {
    const run = delivering({ answer: () => retryable() });
    run.accept(2_000);
    await run.clock.advance(9_000);
    const early = run.sent.filter(({ at }) => at > 2_000).map(({ at }) => at);
    expect(early.length).toBeGreaterThanOrEqual(13);
    await run.clock.advance(600_000);
    const before = run.sent.length;
    await run.clock.advance(300_000);
    expect(run.sent.length - before).toBeLessThanOrEqual(20);
  });

  it('is waited out as long as the destination asks for', async () => {
    const run = delivering({
      concurrency: { min: 1, max: 1 },
      answer: (_, n) => (n === 1 ? retryable(5_000) : undefined),
    });
    run.accept(1_500);
    await run.clock.advance(4_900);
    expect(run.sent).toHaveLength(1);
    await run.clock.advance(2_000);
    expect(run.arrived.size).toBe(1_500);
  });

  it('does not go on because of some events that always fail', async () => {
    const run = delivering({
      batch: { maxEvents: 10 },
      answer: ({ ids: some }) => (some.some((id) => bad.has(id)) ? retryable() : undefined),
    });
    const events = run.accept(400);
    const bad = new Set(events.slice(0, 45).map(({ id }) => id));
    await run.clock.advance(120_000);
    expect(run.arrived.size).toBe(350);
    expect(balance(run)).toBe(0);
  });

  it('makes what waits old, and what is too old dead letters', async () => {
    const run = delivering({
      retry: { maxAgeMs: 60_000 },
      answer: () => retryable(),
    });
    run.accept(5_000);
    await run.clock.advance(150_000);
    expect(run.loop.stats()).toMatchObject({ dead: 5_000, depth: 0 });
    expect(run.lost.every(({ reason }) => reason === 'expired')).toBe(true);
    expect(codes(run)).toContain('dead_letters');
    expect(codes(run).length).toBeLessThan(20);
  });
});

describe('a pause', () => {
  it('keeps everything while the credentials are refused, and probes', async () => {
    const run = delivering({ answer: () => blocked });
    run.accept(3_000);
    await run.clock.advance(2_000);
    expect(run.loop.stats()).toMatchObject({
      ...{ state: 'paused', stateReason: 'unauthorised', depth: 3_000 },
      lastError: 'HTTP 401',
    });
    const before = run.sent.length;
    await run.clock.advance(300_000);
    expect(run.sent.length - before).toBe(10);
    expect(run.sent.at(-1)?.ids.length).toBeLessThanOrEqual(10);
    run.answer = () => DELIVERED;
    run.loop.credentialsChanged();
    await run.clock.advance(1_000);
    expect(run.arrived.size).toBe(3_000);
    expect(codes(run)).toEqual(['destination_paused', 'destination_recovered']);
  });

  it('makes nothing old', async () => {
    const run = delivering({
      retry: { maxAgeMs: 120_000 },
      answer: () => blocked,
    });
    run.accept(10);
    await run.clock.advance(3_600_000);
    run.answer = () => retryable();
    await run.clock.advance(60_000);
    expect(run.loop.stats()).toMatchObject({ state: 'retrying', dead: 0 });
    run.answer = () => DELIVERED;
    await run.clock.advance(31_000);
    expect(run.loop.stats()).toMatchObject({ delivered: 10, dead: 0 });
  });

  it('encodes anew what waits for other credentials, under its id', async () => {
    let credentials = 'old';
    const run = delivering({
      encode: () => credentials,
      answer: ({ payload }) => (payload === 'old' ? blocked : DELIVERED),
    });
    run.accept(1);
    await run.clock.advance(1_001);
    credentials = 'new';
    run.loop.credentialsChanged();
    await run.clock.advance(1);
    const [first, second] = run.sent;
    expect([first?.payload, second?.payload]).toEqual(['old', 'new']);
    expect(second?.batchId).toBe(first?.batchId);
  });

  it('begins after three batches that the endpoint refused', async () => {
    const run = delivering({ answer: () => rejected('endpoint', 405) });
    run.accept(5_000);
    await run.clock.advance(1_000);
    const { dead } = run.loop.stats();
    expect(run.loop.stats()).toMatchObject({
      ...{ state: 'paused', stateReason: 'refusing_everything' },
    });
    expect(dead).toBeLessThanOrEqual(2_500);
    await run.clock.advance(90_000);
    expect(run.loop.stats().dead).toBeLessThanOrEqual(dead + 3);
    run.answer = () => DELIVERED;
    await run.clock.advance(31_000);
    expect(run.loop.stats()).toMatchObject({ state: 'ok', depth: 0 });
    expect(balance(run)).toBe(0);
  });

  it('begins after 20 single events that were rejected', async () => {
    const run = delivering({
      concurrency: { min: 1, max: 1 },
      answer: () => rejected(),
    });
    run.accept(500);
    await run.clock.advance(2_000);
    expect(run.loop.stats()).toMatchObject({
      ...{ state: 'paused', stateReason: 'refusing_everything', dead: 20 },
    });
    run.answer = () => DELIVERED;
    await run.clock.advance(31_000);
    expect(run.loop.stats()).toMatchObject({ delivered: 480, state: 'ok' });
  });
});

describe('a pause, when the app', () => {
  const paused = async () => {
    const run = delivering({ answer: () => blocked });
    run.accept(1_200);
    await run.clock.advance(2_000);
    expect(run.loop.stats().state).toBe('paused');
    return { run, before: run.sent.length };
  };

  it('flushes, is not skipped', async () => {
    const { run, before } = await paused();
    const flush = run.loop.flush({ timeoutMs: 5_000 });
    await run.clock.advance(5_000);
    await flush;
    expect(run.sent).toHaveLength(before);
    expect(run.loop.stats()).toMatchObject({ depth: 1_200, state: 'paused' });
  });

  it('closes, costs one attempt more, and everything is handed over', async () => {
    const { run, before } = await paused();
    const closing = run.loop.close({ timeoutMs: 5_000 });
    await run.clock.advance(10);
    await closing;
    expect(run.sent).toHaveLength(before + 1);
    expect(run.loop.stats()).toMatchObject({ dead: 1_200, depth: 0 });
    expect(run.lost.flatMap(({ events }) => events)).toHaveLength(1_200);
  });

  it('closes when the destination is back, everything is delivered', async () => {
    const { run } = await paused();
    run.answer = () => DELIVERED;
    const closing = run.loop.close({ timeoutMs: 5_000 });
    await run.clock.advance(10);
    await closing;
    expect(run.loop.stats()).toMatchObject({ delivered: 1_200, dead: 0 });
  });
});

describe('a wall clock that goes back an hour', () => {
  it('delays nothing, and makes nothing young or old', async () => {
    const run = delivering({
      retry: { maxAgeMs: 60_000 },
      answer: () => retryable(),
    });
    run.accept(3);
    run.clock.set(run.clock.now() - 3_600_000);
    await run.clock.advance(1_001);
    expect(run.sent).toHaveLength(1);
    expect(run.loop.stats().oldestMs).toBe(1_001);
    run.clock.set(run.clock.now() + 7_200_000);
    await run.clock.advance(50_000);
    expect(run.loop.stats()).toMatchObject({ depth: 3, dead: 0 });
    await run.clock.advance(60_000);
    expect(run.loop.stats()).toMatchObject({ depth: 0, dead: 3 });
  });
});

describe('flush', () => {
  const settled = async (run: Delivering, promise: Promise<void>) => {
    let done = false;
    void promise.then(() => {
      done = true;
    });
    await run.clock.advance(0);
    return done;
  };

  it('skips the delay of a batch, and waits for what was accepted before', async () => {
    const run = delivering();
    run.accept(3);
    const flush = run.loop.flush({ timeoutMs: 5_000 });
    expect(await settled(run, flush)).toBe(true);
    expect(run.sent).toHaveLength(1);
    await run.loop.flush({ timeoutMs: 0 });
  });

  it('skips no backoff, and ends when its time is up', async () => {
    const run = delivering({ answer: () => retryable() });
    run.accept(1);
    const flush = run.loop.flush({ timeoutMs: 300 });
    expect(await settled(run, flush)).toBe(false);
    await run.clock.advance(299);
    expect(run.sent).toHaveLength(1);
    await run.clock.advance(1);
    await flush;
    expect(run.loop.stats().depth).toBe(1);
  });

  it('does not wait for what comes later, nor for what died', async () => {
    const run = delivering({ answer: () => rejected() });
    run.accept(1);
    const flush = run.loop.flush({ timeoutMs: 5_000 });
    run.accept(1);
    run.answer = (_, n) => (n <= 2 ? rejected() : new Promise(() => undefined));
    await run.clock.advance(10);
    expect(await settled(run, flush)).toBe(true);
  });
});

describe('a backlog that is full', () => {
  it('refuses events, and hands them over', async () => {
    const run = delivering({
      backlog: memoryBacklog({ maxEvents: 2, overflow: 'dropNewest' }),
    });
    const [a] = run.accept(2);
    expect(() => run.loop.accept(a!, false)).toThrow('the backlog has no room');
    await run.clock.advance(0);
    expect(run.lost).toEqual([{ path: 'warehouse', events: [a], reason: 'overflow' }]);
    expect(run.loop.stats()).toMatchObject({
      ...{ accepted: 2, dropped: { overflow: 1 } },
    });
  });

  it('hands over what it gave up, many together, and reports it once', async () => {
    const run = delivering({
      backlog: memoryBacklog({ maxEvents: 10 }),
      answer: () => new Promise(() => undefined),
    });
    run.accept(1_210);
    await run.clock.advance(0);
    expect(run.lost.map(({ events }) => events.length)).toEqual([500, 500, 200]);
    expect(codes(run)).toEqual(['dead_letters']);
    expect(balance(run)).toBe(0);
  });

  it('hands over however many are lost at once', async () => {
    const clock = fakeClock();
    const handed: number[] = [];
    const lost = new LostEvents(
      'warehouse',
      clock,
      ({ events }) => {
        handed.push(events.length);
      },
      () => undefined,
    );
    const [event] = ordinaryEvents(1);
    lost.add(
      Array.from({ length: 300_000 }, () => event!),
      {
        reason: 'refused',
      },
    );
    await lost.done();
    expect(handed).toEqual([300_000]);
  });

  it('lets those wait who want to', async () => {
    const run = delivering({
      backlog: memoryBacklog({ maxEvents: 1, overflow: 'block' }),
    });
    const [a] = run.accept(1);
    const waiting = run.loop.accept(a!, true);
    await run.clock.advance(1_001);
    await expect(waiting).resolves.toBeUndefined();
    const late = run.loop.accept(a!, true) as Promise<void>;
    run.answer = () => new Promise(() => undefined);
    const caught = late.catch((error: unknown) => error);
    await run.clock.advance(5_000);
    expect(await caught).toMatchObject({ code: 'overflow' });
  });
});

describe('what happens', () => {
  it('is published once, on diagnostics channels', async () => {
    const facts: unknown[] = [];
    const listen = (fact: unknown) => {
      facts.push(fact);
    };
    const channels = Object.values(DELIVERY_CHANNELS);
    channels.forEach((name) => {
      subscribe(name, listen);
    });
    try {
      const run = delivering({
        answer: (_, n) => (n === 1 ? blocked : rejected()),
      });
      run.accept(1);
      await run.clock.advance(31_100);
      const place = { tracker: 'default', path: 'warehouse' };
      const batch = { batchId: 'batch-2', requestId: 'batch-1', events: 1 };
      expect(facts).toMatchObject([
        {
          ...place,
          ...batch,
          ...{ attempt: 1, status: 'blocked', httpStatus: 401 },
        },
        { ...place, state: 'paused', reason: 'unauthorised' },
        { ...place, ...batch, attempt: 2, status: 'rejected' },
        { ...place, state: 'ok' },
        { ...place, outcome: 'dead', events: 1, reason: 'rejected' },
      ]);
    } finally {
      channels.forEach((name) => {
        unsubscribe(name, listen);
      });
    }
  });

  it('happens outside the async context of whoever emitted', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const see = () => {
      seen.push(storage.getStore());
    };
    const run = delivering({
      batch: { maxEvents: 1 },
      backlog: memoryBacklog({ maxEvents: 500 }),
      answer: () => {
        see();
        return rejected();
      },
      onDeadLetter: see,
    });
    storage.run('request', () => {
      run.accept(1_200);
      void run.loop.flush({ timeoutMs: 1_000 });
    });
    await run.clock.advance(100);
    expect(seen.length).toBeGreaterThan(2);
    expect(new Set(seen)).toEqual(new Set([undefined]));
  });

  it('is not disturbed by an onDeadLetter that throws or rejects', async () => {
    const run = delivering({
      answer: () => rejected(),
      batch: { maxEvents: 1 },
      onDeadLetter: ({ events: [event] }) => {
        if (Number(event!.data['number']) === 0) {
          throw new Error('sync');
        }
        return Promise.reject(new Error('async'));
      },
    });
    run.accept(1);
    await run.clock.advance(10);
    run.accept(2);
    await run.clock.advance(10);
    expect(run.loop.stats().dead).toBe(3);
    expect(codes(run).filter((code) => code === 'callback_failed').length).toBe(2);
  });
});
