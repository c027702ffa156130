import { describe, expect, it } from '@jest/globals';
import type { TrackingEvent } from '../../../lib/core/event.js';
import { memoryBacklog } from '../../../lib/delivery/memory-backlog.js';
import type { Answer, Delivering } from '../../support/delivery.js';
import { DELIVERED, delivering, rejected, retryable } from '../../support/delivery.js';

const ids = (events: readonly { id: string }[]) => events.map(({ id }) => id);

describe('batching', () => {
  it('waits for a batch to fill up, for as long as it may', async () => {
    const run = delivering({ batch: { maxEvents: 3 } });
    const [a, b] = run.accept(2);
    await run.clock.advance(999);
    expect(run.sent).toHaveLength(0);
    await run.clock.advance(2);
    expect(run.sent.map((one) => one.ids)).toEqual([[a!.id, b!.id]]);
    expect(run.loop.stats()).toMatchObject({
      ...{ accepted: 2, delivered: 2, depth: 0, state: 'ok' },
      lastDeliveredAt: run.clock.now() - 1,
    });
  });

  it('sends a full batch at once, by count and by bytes', async () => {
    const run = delivering({ batch: { maxEvents: 3 } });
    run.accept(7);
    await run.clock.advance(1);
    expect(run.sent.map((one) => one.ids.length)).toEqual([3, 3]);
    run.settings = {
      ...run.settings,
      batch: { ...run.settings.batch, maxBytes: 100 },
    };
    run.accept(1);
    await run.clock.advance(1);
    expect(run.sent.map((one) => one.ids.length)).toEqual([3, 3, 1, 1]);
  });

  it('never mixes groups, and keeps runs of one group together', async () => {
    const groups = ['a', 'a', 'b', 'a'];
    const run = delivering({
      concurrency: { min: 1, max: 1 },
      groupOf: ({ data }) => String(groups[Number(data['number'])]),
    });
    run.accept(4);
    await run.clock.advance(1_001);
    expect(run.sent.map((one) => one.ids.length)).toEqual([2, 1, 1]);
  });

  it('never sends the same id twice in a batch', async () => {
    const run = delivering();
    const [event] = run.accept(1);
    void run.loop.accept(event!, false);
    await run.clock.advance(1_001);
    expect(run.sent.map((one) => one.ids)).toEqual([[event!.id], [event!.id]]);
  });
});

describe('concurrency', () => {
  it.each([
    [undefined, 32],
    [{ min: 3, max: 3 }, 3],
  ])('%p grows to %i while the destination keeps its pace', async (range, most) => {
    let underWay = 0;
    let seen = 0;
    const run: Delivering = delivering({
      batch: { maxEvents: 1 },
      ...(range === undefined ? {} : { concurrency: range }),
      answer: () =>
        new Promise((resolve) => {
          underWay++;
          seen = Math.max(seen, underWay);
          run.clock.setTimeout(() => {
            underWay--;
            resolve(DELIVERED);
          }, 20);
        }),
    });
    run.accept(2_000);
    await run.clock.advance(21);
    expect(seen).toBeLessThanOrEqual(4);
    await run.clock.advance(1_000);
    expect(seen).toBe(most);
  });
});

describe('an attempt that fails', () => {
  it('is repeated byte for byte, under the same id', async () => {
    const answers: Answer = (_, n) => (n < 3 ? retryable() : DELIVERED);
    const run = delivering({ answer: answers });
    run.accept(5);
    await run.clock.advance(10_000);
    const [first, second, third] = run.sent;
    expect(run.sent).toHaveLength(3);
    expect(second!.payload).toBe(first!.payload);
    expect(run.sent.map(({ batchId }) => batchId)).toEqual(Array.from({ length: 3 }, () => first!.batchId));
    expect(run.sent.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(third!.at - second!.at).toBeLessThanOrEqual(1_000);
    expect(run.loop.stats()).toMatchObject({ delivered: 5, retried: 10 });
  });

  it('waits as long as it is told to, within bounds', async () => {
    const run = delivering({
      answer: (_, n) => (n === 1 ? retryable(7_000) : undefined),
    });
    run.accept(1);
    await run.clock.advance(7_900);
    expect(run.sent).toHaveLength(1);
    await run.clock.advance(200);
    expect(run.sent).toHaveLength(2);
    const patient = delivering({
      answer: (_, n) => (n === 1 ? retryable(1e9) : undefined),
    });
    patient.accept(1);
    await patient.clock.advance(31_100);
    expect(patient.sent).toHaveLength(2);
  });

  it('ends after maxAttempts, and after maxAgeMs', async () => {
    const run = delivering({
      retry: { maxAttempts: 2 },
      answer: () => retryable(),
    });
    const [a] = run.accept(1);
    await run.clock.advance(60_000);
    expect(run.sent).toHaveLength(2);
    expect(run.lost).toEqual([
      {
        ...{ path: 'warehouse', events: [a], reason: 'attempts', status: 503 },
      },
    ]);
    const old = delivering({
      retry: { maxAgeMs: 60_000 },
      answer: () => retryable(),
    });
    old.accept(1);
    await old.clock.advance(100_000);
    expect(old.lost.map(({ reason }) => reason)).toEqual(['expired']);
    expect(old.loop.stats()).toMatchObject({ dead: 1, depth: 0 });
  });

  it('counts a transport that throws, or takes too long, as a failure', async () => {
    const run = delivering({
      answer: (sent, n) => {
        if (n === 1) {
          throw new Error('bug');
        }
        return n === 2 ? new Promise(() => undefined) : DELIVERED;
      },
    });
    run.accept(1);
    await run.clock.advance(30_000);
    expect(run.sent).toHaveLength(3);
    expect(run.sent[1]!.signal.aborted).toBe(true);
    expect(run.loop.stats()).toMatchObject({
      delivered: 1,
      lastError: 'no answer within 10000 ms',
    });
  });

  it('holds up no other batch', async () => {
    const run = delivering({
      batch: { maxEvents: 1 },
      answer: ({ ids: [id] }) => (id === poison ? retryable() : undefined),
    });
    const events = run.accept(50);
    const poison = events[3]!.id;
    await run.clock.advance(60_000);
    expect(run.arrived.size).toBe(49);
    expect(run.loop.stats()).toMatchObject({ depth: 1, delivered: 49 });
  });
});

describe('a batch that is refused', () => {
  it.each([400, 422])('is bisected until the bad event is found: HTTP %i', async (httpStatus) => {
    const run = delivering({
      answer: (one) => (one.ids.includes(poison) ? rejected('event', httpStatus) : undefined),
    });
    const events = run.accept(500);
    const poison = events[321]!.id;
    await run.clock.advance(1_001);
    expect(run.arrived.size).toBe(499);
    expect([...run.arrived.values()].every((times) => times === 1)).toBe(true);
    expect(run.lost).toEqual([
      {
        ...{ path: 'warehouse', events: [events[321]], reason: 'rejected' },
        ...{ status: httpStatus, body: 'no' },
      },
    ]);
    expect(run.sent.length).toBeLessThan(25);
    expect(new Set(run.sent.map(({ batchId }) => batchId)).size).toBe(run.sent.length);
    expect(new Set(run.sent.map(({ requestId }) => requestId)).size).toBe(1);
  });

  it('is halved while it is too large, and smaller ones follow', async () => {
    const run = delivering({
      batch: { maxEvents: 64 },
      answer: ({ ids: some }) => (some.length > 5 ? { status: 'tooLarge' } : undefined),
    });
    run.accept(64);
    await run.clock.advance(1);
    expect(run.arrived.size).toBe(64);
    const before = run.sent.length;
    run.accept(64);
    await run.clock.advance(1_001);
    expect(run.arrived.size).toBe(128);
    expect(run.sent.slice(before).filter((one) => one.ids.length > 5)).toEqual([]);
  });

  it('dies when one event alone is too large', async () => {
    const run = delivering({ answer: () => ({ status: 'tooLarge' }) });
    run.accept(2);
    await run.clock.advance(1_001);
    expect(run.lost.map(({ reason }) => reason)).toEqual(['too_large']);
    expect(run.loop.stats()).toMatchObject({ dead: 2, depth: 0 });
  });

  it('dies as it is when the endpoint refuses it', async () => {
    const run = delivering({
      answer: (_, n) => (n === 1 ? rejected('endpoint', 410) : undefined),
    });
    run.accept(10);
    await run.clock.advance(1_001);
    expect(run.sent).toHaveLength(1);
    expect(run.lost).toMatchObject([{ reason: 'refused', status: 410 }]);
    run.accept(1);
    await run.clock.advance(1_001);
    expect(run.loop.stats()).toMatchObject({ dead: 10, delivered: 1 });
  });

  it('goes again under a new id when the destination knows the old one', async () => {
    const run = delivering({
      answer: (_, n) => (n === 1 ? retryable() : n === 2 ? rejected('event', 409) : undefined),
    });
    run.accept(3);
    await run.clock.advance(5_000);
    expect(run.sent.map((one) => one.ids.length)).toEqual([3, 3, 3]);
    const [first, second, third] = run.sent;
    expect(second!.batchId).toBe(first!.batchId);
    expect(third!.batchId).not.toBe(first!.batchId);
    expect(third!.requestId).toBe(first!.requestId);
  });

  it.each(['delivered', 'rejected'] as const)('counts a conflict over one event as %s', async (conflict) => {
    const run = delivering({
      conflict,
      answer: () => rejected('event', 409),
    });
    run.accept(1);
    await run.clock.advance(1_001);
    expect(run.loop.stats()).toMatchObject(
      conflict === 'delivered' ? { delivered: 1, dead: 0 } : { delivered: 0, dead: 1 },
    );
  });

  it('dies event by event when the format cannot express it', async () => {
    const run = delivering({
      encode: (events) => {
        if (events.some(({ event }) => event.data['number'] === 2)) {
          throw new Error('no way to say it');
        }
        return 'ok';
      },
    });
    const events = run.accept(5);
    await run.clock.advance(1_001);
    expect(run.arrived.size).toBe(4);
    expect(run.lost).toMatchObject([{ reason: 'unencodable', events: [events[2]] }]);
  });
});

describe('an answer per event', () => {
  it('sends only that again which must be', async () => {
    const run = delivering({
      answer: ({ ids: [a, b] }, n) =>
        n === 1
          ? {
              status: 'partial',
              outcomes: new Map([
                [String(a), 'delivered'],
                [String(b), 'rejected'],
                ['unheard of', 'rejected'],
              ]),
              error: { message: 'bad', httpStatus: 200, body: 'bad' },
            }
          : undefined,
    });
    const events = run.accept(4);
    await run.clock.advance(3_000);
    expect(run.sent.map((one) => one.ids)).toEqual([ids(events), ids(events.slice(2))]);
    const [first, second] = run.sent;
    expect(second!.batchId).not.toBe(first!.batchId);
    expect(second!.requestId).toBe(first!.requestId);
    expect(second!.attempt).toBe(2);
    expect(run.lost).toMatchObject([{ events: [events[1]], reason: 'rejected', body: 'bad' }]);
    expect(run.loop.stats()).toMatchObject({ delivered: 3, dead: 1 });
  });

  it('is a failure like any other when everything is to go again', async () => {
    const run = delivering({
      answer: (_, n) => (n === 1 ? { status: 'partial', outcomes: new Map() } : undefined),
    });
    run.accept(2);
    await run.clock.advance(3_000);
    expect(run.sent[1]!.batchId).toBe(run.sent[0]!.batchId);
    expect(run.loop.stats()).toMatchObject({ delivered: 2 });
  });
});

describe('streams', () => {
  const parity = ({ data }: TrackingEvent) => (Number(data['number']) % 2 === 0 ? 'even' : 'odd');

  it('are never mixed, and stay in order through failures', async () => {
    let random = 7;
    const run = delivering({
      batch: { maxEvents: 3 },
      partitionOf: parity,
      answer: () => {
        random = (random * 16_807) % 2_147_483_647;
        return random % 3 === 0 ? retryable() : DELIVERED;
      },
    });
    const events = run.accept(60);
    await run.clock.advance(120_000);
    const order = [...run.arrived.keys()];
    for (const at of [0, 1]) {
      const own = ids(events.filter((_, i) => i % 2 === at));
      expect(order.filter((id) => own.includes(id))).toEqual(own);
    }
  });

  it('do not hold each other up', async () => {
    const run = delivering({
      batch: { maxEvents: 2 },
      concurrency: { min: 2, max: 2 },
      partitionOf: ({ data }) => String(Number(data['number']) % 5),
      answer: ({ events: [event] }) => (Number(event!.data['number']) % 5 < 2 ? retryable() : undefined),
    });
    run.accept(200);
    await run.clock.advance(3_000);
    expect(run.arrived.size).toBe(120);
    run.accept(5);
    await run.clock.advance(1_002);
    expect(run.arrived.size).toBe(123);
    run.answer = () => DELIVERED;
    await run.clock.advance(60_000);
    expect(run.arrived.size).toBe(205);
  });

  it.each([1, 50])(
    'do not hold each other up, however many fail at once, with answers in %i ms',
    async (latencyMs) => {
      const run: Delivering = delivering({
        batch: { maxEvents: 1 },
        partitionOf: ({ data }) => String(Number(data['number']) % 10),
        answer: ({ events: [event] }) =>
          Number(event!.data['number']) % 10 < 6
            ? retryable()
            : new Promise((resolve) => {
                run.clock.setTimeout(() => {
                  resolve(DELIVERED);
                }, latencyMs);
              }),
      });
      run.accept(200);
      await run.clock.advance(3_000);
      expect(run.arrived.size).toBe(80);
      run.accept(10);
      await run.clock.advance(1_200);
      expect(run.arrived.size).toBe(84);
      run.answer = () => DELIVERED;
      await run.clock.advance(60_000);
      expect(run.arrived.size).toBe(210);
    },
  );

  it('that failed all at once are probed, though each has failed before', async () => {
    const run = delivering({
      batch: { maxEvents: 1 },
      partitionOf: ({ data }) => String(Number(data['number']) % 4),
      answer: ({ events: [event] }) => (Number(event!.data['number']) % 4 === 0 ? DELIVERED : retryable()),
    });
    run.accept(40);
    await run.clock.advance(20_000);
    expect(run.arrived.size).toBe(10);
    run.answer = () => retryable();
    run.accept(40);
    await run.clock.advance(60_000);
    const before = run.sent.length;
    await run.clock.advance(60_000);
    expect(run.sent.length - before).toBeLessThan(150);
    run.answer = () => DELIVERED;
    await run.clock.advance(60_000);
    expect(run.arrived.size).toBe(80);
  });

  it('keep their order when a batch of theirs is bisected', async () => {
    const run = delivering({
      partitionOf: () => 'one',
      answer: (one) => (one.ids.includes(poison) ? rejected() : undefined),
    });
    const events = run.accept(20);
    const poison = events[7]!.id;
    await run.clock.advance(1_001);
    expect([...run.arrived.keys()]).toEqual(ids(events).filter((id) => id !== poison));
  });

  it('are given back when too many of them fail', async () => {
    const run = delivering({
      batch: { maxEvents: 1 },
      concurrency: { min: 2, max: 4 },
      partitionOf: ({ data }) => JSON.stringify(data['number']),
      backlog: memoryBacklog(),
      answer: ({ events: [event] }) => (Number(event!.data['number']) < 20 ? retryable() : undefined),
    });
    run.accept(40);
    await run.clock.advance(10_000);
    expect(run.arrived.size).toBe(20);
    run.answer = () => DELIVERED;
    await run.clock.advance(60_000);
    expect(run.arrived.size).toBe(40);
  });
});
