import assert from 'node:assert/strict';
import { ContextStore } from '../core/context-store.js';
import { createTracker } from '../core/create-tracker.js';
import type { BackendBench } from './backend-bench.js';
import { ordinaryEvents, plainEvent, unusualEvents } from './contract-events.js';

const MANY = 1_000;
const SHORT_BUDGET_MS = 200;

/** What every backend keeps, by the name of its test. */
export const BACKEND_CHECKS: Readonly<Record<string, (bench: BackendBench) => Promise<void>>> = {
  'attaches without waiting or failing': async (bench) => {
    assert.equal(bench.attach(), undefined, 'attach answered something');
    await bench.send(ordinaryEvents(1));
    bench.assertNoneRefused();
  },

  'delivers each event once, as it was emitted': async (bench) => {
    bench.attach();
    for (const event of ordinaryEvents(20)) {
      await bench.send([event]);
    }
    bench.assertNoneRefused();
    await bench.assertArrived();
  },

  'takes many events at once': async (bench) => {
    bench.attach();
    await bench.send(ordinaryEvents(MANY));
    bench.assertNoneRefused();
    await bench.assertArrived();
  },

  'leaves events as they are': async (bench) => {
    bench.attach();
    const event = plainEvent();
    const before = JSON.stringify(event);
    await bench.send([event]);
    await bench.flush(bench.timeoutMs);
    assert.equal(JSON.stringify(event), before, 'the backend changed an event that other backends share');
  },

  'carries unusual events unchanged, or counts them as lost': async (bench) => {
    bench.attach();
    await bench.send(unusualEvents());
    await bench.send(ordinaryEvents(1));
    await bench.flush(bench.timeoutMs);
    await bench.assertArrived(bench.assertBalanced());
  },

  'flushes within its budget, also twice at once and with nothing to do': async (bench) => {
    bench.attach();
    await bench.flush(SHORT_BUDGET_MS);
    const sending = bench.send(ordinaryEvents(10));
    await Promise.all([bench.flush(SHORT_BUDGET_MS), bench.flush(SHORT_BUDGET_MS), bench.flush(0), sending]);
  },

  'closes once, however often it is asked to': async (bench) => {
    bench.attach();
    await bench.send(ordinaryEvents(10));
    await Promise.all([bench.close(), bench.close()]);
    await bench.close();
  },

  'closes before anything was sent': async (bench) => {
    bench.attach();
    await bench.close();
  },

  'settles what is sent after it was closed': async (bench) => {
    bench.attach();
    await bench.close();
    await bench.send(ordinaryEvents(3));
    await bench.flush(SHORT_BUDGET_MS);
  },

  'keeps its counts in balance': async (bench) => {
    bench.attach();
    bench.assertBalanced();
    await bench.send(ordinaryEvents(10));
    bench.assertBalanced();
    await bench.flush(bench.timeoutMs);
    bench.assertBalanced();
    await bench.close();
    bench.assertBalanced();
  },

  'serves a tracker': async (bench) => {
    const tracker = createTracker<Record<string, object>>({
      backends: { contract: bench.backend },
      contextStore: new ContextStore(),
      onError: () => undefined,
    });
    const budget = { timeoutMs: bench.timeoutMs };
    const { outcomes } = await bench.within('emitAsync', () =>
      tracker.emitAsync('order.created', { number: 1 }),
    );
    assert.equal(
      outcomes['contract']?.status,
      'accepted',
      `the event was not accepted: ${JSON.stringify(outcomes['contract'])}`,
    );
    await bench.within('flush', () => tracker.flush(budget));
    const { settled, pending } = await bench.within('close', () => tracker.close(budget));
    assert.ok(settled, `${pending} events were left after close`);
  },
};
