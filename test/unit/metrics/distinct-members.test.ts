import { describe, expect, it } from '@jest/globals';
import { DistinctMembers } from '../../../lib/metrics/distinct-members.js';
import { HyperLogLog } from '../../../lib/metrics/hyper-log-log.js';
import { HASH_BITS, memberHash } from '../../../lib/metrics/member-hash.js';

function membersOf(from: number, to: number): DistinctMembers {
  const members = new DistinctMembers();
  for (let n = from; n < to; n++) {
    members.add(memberHash(`member-${n}`));
  }
  return members;
}

describe('distinct members', () => {
  it.each([0, 1, 1_000, 8_191])('are exact up to %i', (count) => {
    const members = membersOf(0, count);
    for (let n = 0; n < Math.min(count, 10); n++) {
      expect(members.add(memberHash(`member-${n}`))).toBe(false);
    }

    expect(members.count()).toBe(count);
    expect(DistinctMembers.from(members.bytes()).count()).toBe(count);
  });

  it.each([8_192, 20_000, 100_000])('are within two percent at %i', (count) => {
    const members = membersOf(0, count);

    expect(Math.abs(members.count() / count - 1)).toBeLessThan(0.02);
    expect(DistinctMembers.from(members.bytes()).count()).toBe(members.count());
    expect(members.bytes()).toHaveLength(65_536);
  });

  it('are put together, few with few, few with many, many with many', () => {
    const few = membersOf(0, 600);
    few.merge(membersOf(300, 900));
    expect(few.count()).toBe(900);

    const many = membersOf(500, 20_000);
    const both = membersOf(0, 600);
    both.merge(many);
    many.merge(few);
    expect(both.count()).toBe(many.count());
    expect(Math.abs(many.count() / 20_000 - 1)).toBeLessThan(0.02);

    many.merge(membersOf(15_000, 40_000));
    expect(Math.abs(many.count() / 40_000 - 1)).toBeLessThan(0.02);
  });

  it('hashes are whole numbers that a double holds', () => {
    for (let n = 0; n < 1_000; n++) {
      const hash = memberHash(`é${n}`);
      expect(Number.isSafeInteger(hash)).toBe(true);
      expect(hash).toBeLessThan(2 ** HASH_BITS);
    }
  });
});

describe('a HyperLogLog', () => {
  it('is empty at first, and changes only by what it has not seen', () => {
    const sketch = new HyperLogLog();
    expect(sketch.count()).toBe(0);
    expect(sketch.add(0)).toBe(true);
    expect(sketch.add(0)).toBe(false);
    expect(sketch.add(2 ** HASH_BITS - 1)).toBe(true);
    expect(sketch.count()).toBe(2);
  });

  it('has no end to its count when all its registers are full', () => {
    const sketch = new HyperLogLog(new Uint8Array(65_536).fill(38));

    expect(sketch.count()).toBe(Infinity);
  });
});
