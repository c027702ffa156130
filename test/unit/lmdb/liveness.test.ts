import { describe, expect, it } from '@jest/globals';
import { Liveness } from '../../../lib/lmdb/liveness.js';
import type { ProcessIdentity } from '../../../lib/lmdb/process-identity.js';
import { hasEnded, ownIdentity } from '../../../lib/lmdb/process-identity.js';
import type { RangeRecord, StoredRange } from '../../../lib/lmdb/range-record.js';
import { decodeRecord, encodeRecord } from '../../../lib/lmdb/range-record.js';
import { fakeClock } from '../../../lib/testing.js';

const self: ProcessIdentity = {
  ...{ pid: 1, startTime: '1', bootId: 'boot', pidNamespace: 'pid:[1]' },
};

function range(version: number, record: Partial<RangeRecord> = {}): StoredRange {
  return {
    id: 'a',
    version,
    record: { tracker: 't', path: 'p', holder: 'a', beat: 0, ...record },
  };
}

describe('a backlog is gone', () => {
  it('when it was closed', () => {
    const liveness = new Liveness(fakeClock(), self);
    expect(liveness.gone([range(1)])).toEqual(new Set());
    expect(liveness.gone([range(2, { closed: true })])).toEqual(new Set(['a']));
  });

  it('when its heartbeat is 30 s old, and none came while it was watched for 10 s', async () => {
    const clock = fakeClock();
    const liveness = new Liveness(clock, self);
    const old = range(1, { beat: clock.now() - 30_000 });
    expect(liveness.gone([old]).size).toBe(0);
    await clock.advance(9_999);
    expect(liveness.gone([old]).size).toBe(0);
    await clock.advance(1);
    expect(liveness.gone([old])).toEqual(new Set(['a']));
  });

  it('not when the wall clock jumped', async () => {
    const clock = fakeClock();
    const liveness = new Liveness(clock, self);
    for (let version = 1; version < 5; version++) {
      const beating = range(version, { beat: clock.now() });
      clock.set(clock.now() + 3_600_000);
      expect(liveness.gone([beating]).size).toBe(0);
      await clock.advance(5_000);
    }
  });

  it('when it stood still for 30 s, whatever its clock said', async () => {
    const clock = fakeClock();
    const liveness = new Liveness(clock, self);
    const future = range(1, { beat: clock.now() + 3_600_000 });
    expect(liveness.gone([future]).size).toBe(0);
    await clock.advance(29_999);
    expect(liveness.gone([future]).size).toBe(0);
    await clock.advance(1);
    expect(liveness.gone([future])).toEqual(new Set(['a']));
  });

  it('at once when its process has ended, which only its own machine can know', () => {
    const me = ownIdentity();
    const liveness = new Liveness(fakeClock(), me);
    const ended = { ...me, startTime: '7' };
    expect(liveness.gone([range(1, me)]).size).toBe(0);
    expect(liveness.gone([range(1, ended)])).toEqual(new Set(['a']));
    for (const elsewhere of [{ bootId: 'x' }, { pidNamespace: 'x' }]) {
      expect(liveness.gone([range(1, { ...ended, ...elsewhere })]).size).toBe(0);
    }
  });
});

describe('a process', () => {
  it('is told from another of the same pid by its start', () => {
    const me = ownIdentity();
    expect(me).toMatchObject({ pid: process.pid });
    expect(hasEnded(me, me)).toBe(false);
    expect(hasEnded({ ...me, startTime: '1' }, me)).toBe(true);
    expect(hasEnded({ ...me, pid: 4_194_304 }, me)).toBe(true);
  });

  it('of which nothing is known may be alive', () => {
    expect(hasEnded({}, ownIdentity())).toBe(false);
    expect(hasEnded({ pid: 1, bootId: 'boot' }, self)).toBe(false);
    expect(hasEnded({ pid: 1, startTime: '1' }, {})).toBe(false);
  });
});

describe('the record of a range', () => {
  it('comes back as it was', () => {
    const { record } = range(1, { ...self, closed: true });
    expect(decodeRecord(encodeRecord(record))).toEqual(record);
  });

  it.each(['', 'no json', '[]', '{"holder":1}', '{"holder":"a","tracker":"t"}'])(
    'of another version is left alone: %p',
    (text) => {
      expect(decodeRecord(Buffer.from(text))).toBeUndefined();
    },
  );
});
