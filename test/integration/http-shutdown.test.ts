import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { Collector, Respond } from '../../lib/testing/collector.js';
import { startCollector } from '../../lib/testing/collector.js';
import { RUN_TYPESCRIPT } from '../support/run-typescript.js';
import { startNode } from '../support/started-process.js';

jest.setTimeout(60_000);

const PROGRAM = fileURLToPath(new URL('../support/programs/delivering-app.ts', import.meta.url));

interface Ended {
  readonly emitted: number;
  readonly accepted: number;
  readonly lost: readonly (readonly [n: number, reason: string])[];
  readonly arrived: ReadonlyMap<number, number>;
  readonly tookMs: number;
}

let collector: Collector | undefined;

afterEach(() => collector?.close());

/** Runs the program until it has sent a few batches, ends it, and answers what became of its events. */
async function terminated(respond: Respond, timeoutMs: number): Promise<Ended> {
  const arrived = new Map<number, number>();
  collector = await startCollector({
    timeoutMs: 30_000,
    respond: async (request, n) => {
      const answer = await respond(request, n);
      if ((answer?.status ?? 200) === 200) {
        for (const { data } of request.events) {
          const own = Number(data['n']);
          arrived.set(own, (arrived.get(own) ?? 0) + 1);
        }
      }
      return answer;
    },
  });
  const child = startNode([...RUN_TYPESCRIPT, PROGRAM, collector.url, String(timeoutMs)]);
  await child.said(/started/);
  await collector.waitFor(5);
  const started = performance.now();
  child.kill('SIGTERM');
  const { code } = await child.ended();
  expect(code).toBe(0);
  const told = JSON.parse(child.stdout()) as Omit<Ended, 'arrived' | 'tookMs'>;
  return { ...told, arrived, tookMs: performance.now() - started };
}

describe('SIGTERM during load', () => {
  it('loses nothing, and ends by itself', async () => {
    const run = await terminated(() => ({ delayMs: 10 }), 20_000);
    expect(run.lost).toEqual([]);
    expect(run.accepted).toBe(run.emitted);
    expect(run.arrived.size).toBe(run.emitted);
    expect(Math.max(...run.arrived.values())).toBe(1);
  });

  it('hands over what a dead destination does not take, in time', async () => {
    const run = await terminated(() => ({ status: 503 }), 4_000);
    expect(run.lost).toHaveLength(run.emitted);
    expect(new Set(run.lost.map(([, reason]) => reason))).toEqual(new Set(['shutdown']));
    expect(run.tookMs).toBeLessThan(4_500);
  });
});
