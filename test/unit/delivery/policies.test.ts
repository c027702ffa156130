import { describe, expect, it } from '@jest/globals';
import { AdaptiveConcurrency } from '../../../lib/delivery/adaptive-concurrency.js';
import { backoffMs, probeDelayMs } from '../../../lib/delivery/backoff.js';
import type { LeasedEvent } from '../../../lib/delivery/backlog.js';
import { batchesOf, halves } from '../../../lib/delivery/batches.js';
import { BodyLimit } from '../../../lib/delivery/body-limit.js';
import { Circuit } from '../../../lib/delivery/circuit.js';
import { classifyAnswer } from '../../../lib/delivery/classify-answer.js';
import { tooLate } from '../../../lib/delivery/give-up.js';
import { boundedPartitions } from '../../../lib/delivery/partitions.js';
import { Pauses } from '../../../lib/delivery/pauses.js';
import { retryAfterMs } from '../../../lib/delivery/retry-after.js';
import { steadyTime } from '../../../lib/delivery/steady-time.js';
import { ordinaryEvents } from '../../../lib/testing/contract-events.js';
import { fakeClock } from '../../../lib/testing/fake-clock.js';

const leased = (bytes: number, attempts = 0, acceptedAt = 0): LeasedEvent => {
  const event = ordinaryEvents(1)[0]!;
  return {
    ...{ event, id: event.id, bytes, attempts, acceptedAt },
    writeJson: () => undefined,
  };
};

describe('the status of an answer', () => {
  it.each([
    [[200, 201, 204, 299], 'delivered', undefined],
    [[408, 425, 429, 500, 502, 503, 504, 599], 'retryable', undefined],
    [[401, 403], 'blocked', undefined],
    [[413], 'tooLarge', undefined],
    [[100, 199, 300, 301, 304, 308, 405, 410, 415], 'rejected', 'endpoint'],
    [[400, 404, 406, 409, 411, 414, 418, 422, 451], 'rejected', 'event'],
  ])('%p means %s %s', (statuses, status, scope) => {
    for (const httpStatus of statuses) {
      const result = classifyAnswer(httpStatus, { message: 'm', httpStatus });
      expect(result).toMatchObject({
        status,
        ...(scope === undefined ? {} : { scope }),
      });
    }
  });

  it('carries what the destination asks for', () => {
    expect(classifyAnswer(503, { message: 'm' }, 7)).toEqual({
      ...{ status: 'retryable', error: { message: 'm' }, retryAfterMs: 7 },
    });
  });
});

describe('Retry-After', () => {
  const now = Date.UTC(2026, 0, 1);
  it.each([
    ['0', 0],
    ['120', 120_000],
    [' 5 ', 5_000],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Thursday, 01-Jan-26 00:00:30 GMT', 30_000],
    ['Wed, 31 Dec 2025 23:59:00 GMT', 0],
    ['', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['2026', 2_026_000],
    [undefined, undefined],
  ])('of %p is %p ms', (header, ms) => {
    expect(retryAfterMs(header, now)).toBe(ms);
  });
});

describe('waiting', () => {
  const options = { baseMs: 500, maxDelayMs: 30_000 };
  it.each([
    [1, 500],
    [2, 1_000],
    [3, 2_000],
    [7, 30_000],
    [2_000, 30_000],
  ])('after attempt %i takes up to %i ms', (attempt, window) => {
    expect(backoffMs(attempt, options, () => 0)).toBe(0);
    expect(backoffMs(attempt, options, () => 0.5)).toBe(window / 2);
  });

  it.each([
    [0, 30_000, 250, 500],
    [19, 30_000, 250, 500],
    [22, 30_000, 1_000, 2_000],
    [200, 30_000, 15_000, 30_000],
    [0, 100, 50, 100],
  ])('of a probe after %i others', (probes, max, least, most) => {
    expect(probeDelayMs(probes, max, () => 0)).toBe(least);
    expect(probeDelayMs(probes, max, () => 1)).toBe(most);
  });
});

describe('cutting', () => {
  it.each([
    [[1, 1], 1],
    [[1, 1, 1, 1], 2],
    [[10, 1, 1, 1], 1],
    [[1, 1, 1, 10], 3],
    [[1, 1, 1], 2],
  ])('%p goes after %i', (sizes, at) => {
    const events = sizes.map((bytes) => leased(bytes));
    expect(halves(events)).toEqual([events.slice(0, at), events.slice(at)]);
  });

  it('keeps ids apart and groups together', () => {
    const a = leased(1);
    const b = leased(1);
    expect(batchesOf([a, b, a, a], undefined)).toEqual([[a, b], [a], [a]]);
    expect(batchesOf([a, b], ({ id }) => id).map(({ length }) => length)).toEqual([1, 1]);
  });
});

describe('giving up', () => {
  it('sorts by cause', () => {
    const [fresh, tired, old] = [leased(1), leased(1, 3), leased(1, 1, -100)];
    const late = tooLate([fresh, tired, old], {
      ...{ maxAttempts: 3, maxAgeMs: 100 },
      ageOf: ({ acceptedAt }) => -acceptedAt,
    });
    expect([...late]).toEqual([
      ['attempts', [tired]],
      ['expired', [old]],
    ]);
  });
});

describe('pauses', () => {
  it('do not count', () => {
    const pauses = new Pauses();
    pauses.begin(100);
    pauses.begin(150);
    expect(pauses.activeMs(0, 200)).toBe(100);
    pauses.end(300);
    pauses.end(400);
    expect(pauses.activeMs(0, 400)).toBe(200);
    expect(pauses.activeMs(200, 400)).toBe(100);
    expect(pauses.activeMs(300, 400)).toBe(100);
    expect(pauses.activeMs(500, 400)).toBe(0);
  });

  it('are remembered up to a bound, in favour of the events', () => {
    const pauses = new Pauses();
    for (let i = 0; i < 1_000; i++) {
      pauses.begin(i * 10);
      pauses.end(i * 10 + 5);
    }
    expect(pauses.activeMs(9_900, 10_000)).toBe(50);
    expect(pauses.activeMs(0, 10_000)).toBeLessThanOrEqual(5_000);
  });
});

describe('the limit that 413 teaches', () => {
  it('is half of what was refused, and grows again', () => {
    const limit = new BodyLimit();
    limit.took();
    expect(limit.maxBytes).toBe(Infinity);
    limit.refused(1_001);
    expect(limit.maxBytes).toBe(500);
    for (let i = 0; i < 100; i++) {
      limit.took();
    }
    expect(limit.maxBytes).toBe(1_000);
    limit.refused(1);
    expect(limit.maxBytes).toBe(1);
  });
});

describe('concurrency', () => {
  const grown = (times: number) => {
    const made = new AdaptiveConcurrency({ min: 2, max: 8 });
    for (let i = 0; i < times; i++) {
      made.answered(20, true);
    }
    return made;
  };

  it('grows while all are used and answers keep their pace', () => {
    expect(grown(0).limit).toBe(2);
    expect(grown(3).limit).toBe(5);
    expect(grown(100).limit).toBe(8);
    const idle = grown(0);
    idle.answered(20, false);
    expect(idle.limit).toBe(2);
  });

  it('stays as it is when answers get somewhat slower', () => {
    const made = grown(2);
    made.answered(80, true);
    expect(made.limit).toBe(4);
  });

  it('shrinks when answers get slow, and when they fail, not twice for the same cause', () => {
    const slow = grown(100);
    slow.answered(1_000, true);
    expect(slow.limit).toBe(6);
    slow.answered(1_000, true);
    expect(slow.limit).toBe(6);
    const failing = grown(100);
    for (let i = 0; i < 9; i++) {
      failing.failed();
    }
    expect(failing.limit).toBe(4);
    for (let i = 0; i < 50; i++) {
      failing.failed();
    }
    expect(failing.limit).toBe(2);
  });
});

describe('the circuit', () => {
  const circuit = (hasStreams = false) =>
    new Circuit(
      () => 30_000,
      () => 1,
      hasStreams,
    );

  it('opens after three failures of different streams', () => {
    const one = circuit();
    for (let i = 0; i < 10; i++) {
      one.failed('a', 0);
    }
    one.failed('b', 0);
    expect(one.state).toBe('ok');
    one.failed('c', 1_000);
    expect(one).toMatchObject({ state: 'retrying', probeAt: 1_500 });
    one.failed('c', 2_000, 10_000);
    expect(one.probeAt).toBe(12_000);
    one.failed('c', 2_000, 1e9);
    expect(one.probeAt).toBe(32_000);
    one.answered(3_000);
    expect(one.state).toBe('ok');
    one.failed('a', 0);
    expect(one.state).toBe('ok');
  });

  it('takes no notice of streams that fail while others are delivered', () => {
    const one = circuit(true);
    for (const stream of ['a', 'b']) {
      expect(one.failed(stream, 0)).toBe(true);
    }
    one.delivered('x');
    for (const stream of ['a', 'b', 'a', 'b']) {
      expect(one.failed(stream, 0)).toBe(false);
    }
    expect(one.failed('c', 0)).toBe(true);
    one.delivered('a');
    for (const stream of ['c', 'b', 'a', 'd', 'e']) {
      one.failed(stream, 0);
    }
    expect(one.state).toBe('retrying');
    expect(one.failed('b', 5_000)).toBe(true);
    expect(one.probeAt).toBe(5_500);
  });

  it('opens at once when the destination asks for time', () => {
    const one = circuit();
    one.asksForTime(0);
    one.failed('a', 0, 5_000);
    expect(one).toMatchObject({ state: 'retrying', probeAt: 5_000 });
  });

  it('pauses for credentials, until something else is answered', () => {
    const one = circuit();
    one.blocked(0);
    expect(one).toMatchObject({
      ...{ state: 'paused', pauseReason: 'unauthorised', probeAt: 30_000 },
      probeEvents: 10,
    });
    one.credentialsChanged(7);
    expect(one.probeAt).toBe(7);
    one.rejected(1, 8);
    expect(one.state).toBe('ok');
    one.blocked(0);
    one.failed('a', 100);
    expect(one).toMatchObject({ state: 'retrying', pauseReason: undefined });
  });

  it('pauses when everything is refused, until something is delivered', () => {
    const one = circuit();
    one.refused(0);
    one.refused(0);
    one.delivered('x');
    one.refused(0);
    one.refused(0);
    expect(one.state).toBe('ok');
    one.refused(0);
    expect(one).toMatchObject({
      ...{ state: 'paused', pauseReason: 'refusing_everything' },
      probeEvents: 1,
    });
    one.answered(100);
    one.failed('a', 200);
    one.credentialsChanged(0);
    expect(one).toMatchObject({ state: 'paused', probeAt: 30_200 });
    one.delivered('x');
    expect(one.state).toBe('ok');
    one.rejected(19, 0);
    expect(one.state).toBe('ok');
    one.rejected(1, 0);
    expect(one.state).toBe('paused');
  });
});

describe('partitions', () => {
  it('are bounded, and survive a function that fails', () => {
    const errors: unknown[] = [];
    const partitionOf = boundedPartitions(
      ({ name }) => {
        if (name === 'bad') {
          throw new Error('no');
        }
        return name;
      },
      (error) => {
        errors.push(error);
      },
    );
    const [event] = ordinaryEvents(1);
    for (let i = 0; i < 1_000; i++) {
      expect(partitionOf({ ...event!, name: `p${i}` })).toBe(`p${i}`);
    }
    expect(partitionOf({ ...event!, name: 'one more' })).toBe('other');
    expect(partitionOf({ ...event!, name: 'p7' })).toBe('p7');
    expect(partitionOf({ ...event!, name: 'bad' })).toBe('other');
    expect(errors).toHaveLength(1);
  });
});

describe('steady time', () => {
  it('does not jump with the wall clock', async () => {
    const clock = fakeClock(1_000);
    const time = steadyTime(clock);
    clock.set(9e9);
    await clock.advance(5);
    expect(time()).toBe(1_005);
  });
});
