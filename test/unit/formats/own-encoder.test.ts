import { describe, expect, it } from '@jest/globals';
import type { Encoder } from '../../../lib/formats/encoder.js';
import { bodyText, encoderContract, INFO } from '../../support/encoder-contract.js';
import { eventOf } from '../processors/events.js';

// What the README shows begins here.
const cell = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const csv: Encoder = {
  name: 'csv',
  encode: (batch) => ({
    contentType: 'text/csv',
    body: batch.map((e) => [e.id, e.timestamp, e.name, JSON.stringify(e.data)].map(cell)).join('\r\n'),
  }),
};
// And ends here.

describe("an app's own encoder", () => {
  it('needs a name and one function', () => {
    const events = [eventOf({ id: '1', data: { total: 7 } }), eventOf()];
    expect(csv.encode(events, INFO)).toStrictEqual({
      contentType: 'text/csv',
      body: [
        '"1","2026-01-02T03:04:05.678Z","order.created","{""total"":7}"',
        '"0192f0a0-0000-7000-8000-000000000001","2026-01-02T03:04:05.678Z","order.created","{}"',
      ].join('\r\n'),
    });
  });
});

encoderContract('an own encoder of ten lines', {
  describe,
  it,
  make: () => csv,
  read: (request) =>
    rows(bodyText(request)).map(([id, timestamp, name, data]) => ({
      id: id!,
      timestamp: timestamp!,
      name: name!,
      data: JSON.parse(data!) as Record<string, never>,
    })),
  // UTF-8 has no half characters, and here nothing escapes them.
  takes: ({ id, name }) => Buffer.from(id + name).toString() === id + name,
});

function rows(text: string): string[][] {
  const cells = [...text.matchAll(/"((?:[^"]|"")*)"/g)].map(([, cell = '']) => cell.replaceAll('""', '"'));
  return Array.from({ length: cells.length / 4 }, (_, row) => cells.slice(4 * row, 4 * row + 4));
}
