import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { storedEvent } from '../../../lib/core/event.js';
import type { LeasedEvent } from '../../../lib/delivery/backlog.js';
import { batchesOf } from '../../../lib/delivery/batches.js';
import { JsonBytes } from '../../../lib/delivery/json-bytes.js';
import { MemoryEntry } from '../../../lib/delivery/memory-entry.js';

/** JSON of events, some of it as no tracker of ours writes it, in one buffer behind each other. */
function entries(jsons: readonly string[]): MemoryEntry[] {
  const json = Buffer.from(jsons.join(''));
  let at = 0;
  return jsons.map((text, seq) => {
    const bytes = Buffer.byteLength(text);
    const entry = new MemoryEntry(json, at, bytes, 0, seq);
    at += bytes;
    return entry;
  });
}

function plain(json: string): LeasedEvent {
  const event = storedEvent(json);
  return {
    ...{ event, id: event.id, bytes: json.length, acceptedAt: 0, attempts: 0 },
    writeJson: () => undefined,
  };
}

const usual = (id: string, name = 'n'): string =>
  `{"id":${JSON.stringify(id)},"name":"${name}","timestamp":"t","data":{},"context":{}}`;
const unusual = (id: string): string =>
  `{"name":"n","id":${JSON.stringify(id)},"timestamp":"t","data":{},"context":{}}`;

const id = fc.oneof(
  fc.constantFrom('a', 'aa', 'ab', 'b', 'A', '"', 'a"', '\\', 'a\\b', 'é', ''),
  fc.string({ unit: 'grapheme', maxLength: 3 }),
);
const form = fc.constantFrom('usual', 'unusual', 'plain');

describe('the ids of a batch', () => {
  it('are different, whatever ids there are and however they are written', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(id, form)), (pairs) => {
        const inBytes = entries(pairs.map(([one, how]) => (how === 'unusual' ? unusual(one) : usual(one))));
        const events = pairs.map(([one, how], i) =>
          how === 'plain' ? plain(usual(one)) : (inBytes[i] as LeasedEvent),
        );
        const ids = pairs.map(([one]) => one);
        const batches = batchesOf(events, undefined);
        expect(batches.flat()).toEqual(events);
        let at = 0;
        for (const batch of batches) {
          const own = ids.slice(at, at + batch.length);
          expect(new Set(own).size).toBe(own.length);
          at += batch.length;
          // No batch is smaller than it has to be.
          expect(at === ids.length || own.includes(ids[at] as string)).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('say nothing about the order of what follows them', () => {
    const [first, second] = entries([usual('a', 'b'), usual('a', 'c')]);
    expect(second?.follows(first as LeasedEvent)).toBe(false);
  });

  it('are not read as long as they ascend', () => {
    const ids = jest.spyOn(JsonBytes.prototype, 'id', 'get');
    const ascending = entries(['a', 'aa', 'b', 'c'].map((one) => usual(one)));
    expect(batchesOf(ascending, undefined)).toHaveLength(1);
    expect(ids).not.toHaveBeenCalled();
    batchesOf(entries(['a', 'c', 'b'].map((one) => usual(one))), undefined);
    expect(ids).toHaveBeenCalled();
    ids.mockRestore();
  });
});
