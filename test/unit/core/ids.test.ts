import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ContextStore } from '../../../lib/core/context-store.js';
import { createTracker } from '../../../lib/core/create-tracker.js';
import { isUuid, nameUuid, UuidSource } from '../../../lib/core/ids.js';
import { memoryBackend } from '../../../lib/testing/memory-backend.js';
import { record } from '../../support/recording.js';

const V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function millisOf(id: string): number {
  return Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
}

describe('ids', () => {
  it('are UUIDs of version 7 that ascend, whatever the clock does', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.integer({ min: 0, max: 2 ** 48 - 2 }),
            fc.double({ min: 0, max: 2 ** 42, noNaN: true }),
            fc.constant(1_700_000_000_000),
            fc.constant(Number.NaN),
            fc.constant(-5),
            fc.constant(-Infinity),
            fc.constant(Infinity),
            fc.constant(2 ** 48),
          ),
          { minLength: 2, maxLength: 50 },
        ),
        (moments) => {
          const source = new UuidSource();
          const ids = moments.map((ms) => source.next(ms));
          for (const id of ids) {
            expect(id).toMatch(V7);
          }
          expect([...ids].sort()).toStrictEqual(ids);
          expect(new Set(ids).size).toBe(ids.length);
        },
      ),
    );
  });

  it('carry the millisecond', () => {
    const source = new UuidSource();
    expect(millisOf(source.next(1_700_000_000_000))).toBe(1_700_000_000_000);
    expect(millisOf(source.next(1_700_000_000_001.9))).toBe(1_700_000_000_001);
  });

  it('borrow from the next millisecond when one is full, and stay in order', () => {
    const source = new UuidSource();
    const ids = Array.from({ length: 10_000 }, () => source.next(1_000));
    expect([...ids].sort()).toStrictEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
    expect(millisOf(ids[0]!)).toBe(1_000);
    expect(millisOf(ids[2_047]!)).toBe(1_000);
    expect(millisOf(ids.at(-1)!)).toBeGreaterThan(1_001);
    expect(millisOf(ids.at(-1)!)).toBeLessThan(1_007);
  });

  it('stay in order when the clock goes back', () => {
    const source = new UuidSource();
    const late = source.next(5_000);
    const early = source.next(1_000);
    expect(early > late).toBe(true);
    expect(millisOf(early)).toBe(5_000);
  });

  it('are random beyond the counter', () => {
    const source = new UuidSource((bytes) => bytes.fill(0xff));
    expect(source.next(1)).toBe('00000000-0001-77ff-bfff-ffffffffffff');
    const zeros = new UuidSource((bytes) => bytes.fill(0));
    expect(zeros.next(1)).toBe('00000000-0001-7000-8000-000000000000');
    expect(zeros.next(1)).toBe('00000000-0001-7001-8000-000000000000');
  });

  it('use every random byte once', () => {
    let filled = 0;
    let next = 0;
    const source = new UuidSource((bytes) => {
      filled++;
      for (let i = 0; i < bytes.length; i++) {
        bytes[i] = next++ % 251;
      }
    });
    const tails = Array.from({ length: 2_000 }, () => source.next(1).slice(19));
    expect(filled).toBeGreaterThan(2);
    expect(new Set(tails).size).toBe(251);
  });

  it('ascend over all trackers of the process that have real time', () => {
    const memory = memoryBackend();
    const trackers = [0, 1, 2].map(() =>
      createTracker({ backends: { memory }, contextStore: new ContextStore() }),
    );
    for (let i = 0; i < 300; i++) {
      trackers[i % 3]?.emit('a');
    }
    const ids = memory.events.map(({ id }) => id);
    expect([...ids].sort()).toStrictEqual(ids);
    expect(new Set(ids).size).toBe(300);
  });

  it('ascend in the order of emission when wall time is set back', () => {
    const { tracker, memory, clock } = record();
    tracker.emit('a');
    clock.set(0);
    tracker.emit('b');
    tracker.emit('c');
    const ids = memory.events.map(({ id }) => id);
    expect([...ids].sort()).toStrictEqual(ids);
    expect(memory.events[1]?.timestamp).toBe('1970-01-01T00:00:00.000Z');
  });
});

describe('name-based UUIDs', () => {
  // RFC 9562, appendix A.4
  it('follow the RFC', () => {
    expect(nameUuid('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com')).toBe(
      '2ed6657d-e927-568b-95e1-2665a8aea6a2',
    );
  });

  it('are the same for the same namespace and name, in either case', () => {
    const namespace = '2ed6657d-e927-568b-95e1-2665a8aea6a2';
    expect(nameUuid(namespace, 'ü')).toBe(nameUuid(namespace.toUpperCase(), 'ü'));
    expect(nameUuid(namespace, 'ü')).not.toBe(nameUuid(namespace, 'u'));
    expect(isUuid(nameUuid(namespace, ''))).toBe(true);
  });

  it.each(['', 'order-7', '2ed6657d-e927-568b-95e1-2665a8aea6a', 'g'.repeat(36)])(
    'refuse a namespace that is no UUID: %p',
    (namespace) => {
      expect(isUuid(namespace)).toBe(false);
      expect(() => nameUuid(namespace, 'a')).toThrow(TypeError);
    },
  );
});
