import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { createTracker } from '../../lib/core.js';
import type { BacklogStats } from '../../lib/delivery/backlog.js';
import { httpBackend, memoryBacklog } from '../../lib/http.js';
import { freePort } from '../support/free-port.mjs';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const MIB = 2 ** 20;
const EVENTS = 200_000;
const PER_TURN = 2_000;
const MAX_BYTES = 64 * MIB;

function memory(): { heap: number; buffers: number } {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return { heap: heapUsed, buffers: external };
}

describe('200,000 events against a dead server', () => {
  it('stay within the bytes that memory has by default, and each of them counts', async () => {
    const backlog = memoryBacklog();
    const lost = new Map<string, number>();
    const tracker = createTracker({
      backends: {
        http: httpBackend({
          url: `http://127.0.0.1:${await freePort()}/`,
          backlog,
          onDeadLetter: ({ reason, events }) => {
            lost.set(reason, (lost.get(reason) ?? 0) + events.length);
          },
        }),
      },
      onError: () => undefined,
    });
    const before = memory();
    const text = 'x'.repeat(1_000);
    const seen: BacklogStats[] = [];
    for (let i = 0; i < EVENTS; i++) {
      tracker.emit('visit', { i, text });
      if (i % PER_TURN === 0) {
        seen.push(backlog.stats());
        await turn();
      }
    }
    const after = memory();
    expect(Math.max(...seen.map(({ bytes }) => bytes))).toBeLessThanOrEqual(MAX_BYTES);
    expect(seen.map((one) => one.delivered + one.dead + one.depth)).toEqual(seen.map((one) => one.accepted));
    const { accepted, delivered, dead, depth, bytes } = backlog.stats();
    expect([accepted, delivered]).toEqual([EVENTS, 0]);
    expect(dead + depth).toBe(EVENTS);
    // As many as fit.
    expect(bytes).toBeGreaterThan(MAX_BYTES - 2_000);
    expect(bytes).toBeLessThanOrEqual(MAX_BYTES);
    // What waits lies beside the heap; a thousand dead letters, and what is under way, lie on it.
    expect(after.heap - before.heap).toBeLessThan(16 * MIB);
    expect(after.buffers - before.buffers).toBeLessThan(80 * MIB);
    await tracker.close({ timeoutMs: 1_000 });
    expect(Object.fromEntries(lost)).toEqual({
      overflow: dead,
      shutdown: depth,
    });
    expect(backlog.stats()).toMatchObject({
      ...{ accepted: EVENTS, delivered: 0, dead: EVENTS, depth: 0, bytes: 0 },
    });
  }, 60_000);
});
