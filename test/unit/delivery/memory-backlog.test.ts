import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { TrackingEvent } from '../../../lib/core/event.js';
import { eventJson, storedEvent } from '../../../lib/core/event.js';
import type { Backlog, Lease } from '../../../lib/delivery/backlog.js';
import { memoryBacklog } from '../../../lib/delivery/memory-backlog.js';
import { EventChunks } from '../../../lib/delivery/event-chunks.js';
import type { MemoryBacklogOptions } from '../../../lib/delivery/memory-backlog-options.js';
import { fakeClock } from '../../../lib/testing.js';
import { untyped } from '../../support/recording.js';
import { problemsOf } from '../processors/events.js';

const MIB = 2 ** 20;

interface Opened {
  readonly backlog: Backlog;
  readonly lost: string[];
}

function opened(options: MemoryBacklogOptions): Opened {
  const clock = fakeClock();
  const backlog = memoryBacklog(options);
  const lost: string[] = [];
  backlog.open({
    ...{ tracker: 'test', path: 'out', clock, time: () => clock.now() },
    ...{ batch: { maxEvents: 10, maxBytes: MIB }, blockTimeoutMs: 10 },
    report: () => undefined,
    lost: (events) => {
      lost.push(...events.map((event) => eventJson(event)));
    },
  });
  return { backlog, lost };
}

/** Each differs from the others throughout, so that bytes of another show. */
function event(number: number, size: number): TrackingEvent {
  const letter = String.fromCodePoint(0x61 + (number % 26));
  const text = (number % 3 === 0 ? 'é' : letter).repeat(size);
  return storedEvent(
    `{"id":"e${number}","name":"n","timestamp":"2026-01-01T00:00:00.000Z","data":{"text":"${text}"},"context":{}}`,
  );
}

function jsonOf(lease: Lease | undefined): string[] {
  return (lease?.events ?? []).map((one) => {
    const target = Buffer.alloc(one.bytes);
    one.writeJson(target, 0);
    expect(eventJson(one.event)).toBe(target.toString());
    return target.toString();
  });
}

const request = (maxEvents: number) => ({ maxEvents, maxBytes: Infinity, maxDelayMs: 0 }) as const;

describe('the options of a memory backlog', () => {
  it('are checked together', () => {
    const options = {
      maxEvents: 0,
      maxBytes: '1 MiB',
      overflow: 'dropAll',
      deadLetters: { maxEvents: -1, maxBytes: 1.5, maxAgeMs: 1 },
      path: 'x',
    };
    expect(problemsOf(() => memoryBacklog(untyped(options)))).toStrictEqual([
      'the options of memoryBacklog() are wrong:',
      'path is not an option; known are maxEvents, maxBytes, overflow, deadLetters',
      'expected maxEvents to be a positive integer, got 0',
      'expected maxBytes to be a positive integer, got "1 MiB"',
      `expected overflow to be 'dropOldest' or 'dropNewest' or 'block', got "dropAll"`,
      'deadLetters.maxAgeMs is not an option; known are maxEvents, maxBytes',
      'expected deadLetters.maxEvents to be a positive integer, got -1',
      'expected deadLetters.maxBytes to be a positive integer, got 1.5',
    ]);
  });

  it.each<[unknown, string]>([
    [null, 'expected options to be an object, got null'],
    [[], 'expected options to be an object, got an array of 0'],
    [{ deadLetters: 5 }, 'expected deadLetters to be an object, got 5'],
  ])('are refused as %j', (options, problem) => {
    expect(problemsOf(() => memoryBacklog(untyped(options)))[1]).toBe(problem);
  });
});

describe('a full memory backlog', () => {
  it('holds 100,000 events by default', async () => {
    const { backlog, lost } = opened({});
    const all = Array.from({ length: 100_002 }, (_, number) => event(number, 1));
    await backlog.append(all);
    expect(backlog.stats()).toMatchObject({ depth: 100_000, dead: 2 });
    expect(lost).toStrictEqual(all.slice(0, 2).map((one) => eventJson(one)));
  });

  it('writes over nothing that somebody has in care, or that is a dead letter', async () => {
    const { backlog, lost } = opened({ maxBytes: MIB });
    const all = Array.from({ length: 6_000 }, (_, i) => event(i, 1_000));
    const jsons = all.map((one) => eventJson(one));
    await backlog.append(all.slice(0, 700));
    const early = await backlog.lease(request(10));
    await backlog.append(all.slice(700, 3_000));
    const middle = await backlog.lease(request(10));
    await backlog.append(all.slice(3_000));
    const rest = await backlog.lease(request(10_000));
    const leased = [early, middle, rest].map(jsonOf);
    const seen = [...leased.flat(), ...lost];
    expect([...seen].sort()).toEqual([...jsons].sort());
    expect(leased[0]).toEqual(jsons.slice(0, 10));
    expect(lost.length).toBeGreaterThan(4_000);
    const letters: string[] = [];
    for await (const { event: dead } of backlog.deadLetters()) {
      letters.push(eventJson(dead));
    }
    expect(letters).toEqual(lost.slice(-1_000));
    expect(backlog.stats()).toMatchObject({
      ...{ accepted: 6_000, delivered: 0, dead: lost.length },
      depth: leased.flat().length,
      bytes: leased.flat().reduce((sum, json) => sum + Buffer.byteLength(json), 0),
    });
  });

  it('leaves an evicted event as it was, though its bytes are used again', () => {
    const chunks = new EventChunks();
    const push = (number: number): void => {
      const json = eventJson(event(number, 1_000));
      chunks.push(json, Buffer.byteLength(json), 0, number, MIB);
    };
    for (let number = 0; number < 600; number++) {
      push(number);
    }
    const evicted = Array.from({ length: 500 }, () => chunks.evict());
    for (let number = 600; number < 1_100; number++) {
      push(number);
    }
    expect(evicted.map((one) => one && eventJson(one.event))).toEqual(
      evicted.map((_, number) => eventJson(event(number, 1_000))),
    );
  });

  it('answers in order what was accepted, whatever was leased, given back, settled and evicted meanwhile', async () => {
    const step = fc.oneof(
      fc.record({
        append: fc.integer({ min: 1, max: 30 }),
        size: fc.constantFrom(1, 500, 5_000, 300_000),
      }),
      fc.record({ lease: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ settle: fc.nat(), share: fc.constantFrom(0, 0.5, 1) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { backlog, lost } = opened({ maxBytes: MIB, maxEvents: 200 });
        const waiting = new Map<string, number>();
        const leases: Lease[] = [];
        let number = 0;
        const forget = (jsons: readonly string[]): void => {
          for (const json of jsons) {
            expect(waiting.delete(json)).toBe(true);
          }
        };
        /** Those that have waited the longest, in order. */
        const forgetFirst = (jsons: readonly string[]): void => {
          expect(jsons).toEqual([...waiting.keys()].slice(0, jsons.length));
          forget(jsons);
        };
        for (const one of steps) {
          if ('append' in one) {
            const some = Array.from({ length: one.append }, () => event(number++, one.size));
            const count = await backlog.append(some);
            for (const accepted of some.slice(0, count)) {
              waiting.set(eventJson(accepted), waiting.size);
            }
            forget(lost.splice(0));
          } else if ('lease' in one) {
            const lease = await backlog.lease(request(one.lease));
            forgetFirst(jsonOf(lease));
            if (lease !== undefined) {
              leases.push(lease);
            }
          } else if (leases.length > 0) {
            const [lease] = leases.splice(one.settle % leases.length, 1);
            const all = lease?.events ?? [];
            const settled = all.slice(0, Math.ceil(all.length * one.share));
            const left = jsonOf(lease).slice(settled.length);
            await lease?.settle([{ events: settled, outcome: 'delivered' }]);
            await lease?.release();
            const numbered = [...left, ...waiting.keys()].map((json) => [numberIn(json), json] as const);
            waiting.clear();
            for (const [at, json] of numbered.sort(([a], [b]) => a - b)) {
              waiting.set(json, at);
            }
          }
          const { accepted, delivered, dead, depth, bytes } = backlog.stats();
          expect(delivered + dead + depth).toBe(accepted);
          expect(bytes).toBeLessThanOrEqual(MIB);
        }
      }),
      { numRuns: 150 },
    );
  });
});

function numberIn(json: string): number {
  return Number(/"e(\d+)"/.exec(json)?.[1]);
}
