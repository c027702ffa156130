import { describe, expect, it } from '@jest/globals';
import { eventJson } from '../../../lib/core/event.js';
import type { Encoder } from '../../../lib/formats/encoder.js';
import { ENCODERS, isFormatName } from '../../../lib/formats/encoders.js';
import { jsonEncoder } from '../../../lib/formats/json.encoder.js';
import { ndjsonEncoder } from '../../../lib/formats/ndjson.encoder.js';
import { ordinaryEvents } from '../../../lib/testing/contract-events.js';

const info = { batchId: 'b', now: 0 };

describe('formats that are the JSON of events', () => {
  it.each<[Encoder, string, string, string]>([
    [jsonEncoder, '[', ',', ']'],
    [ndjsonEncoder, '', '\n', '\n'],
  ])('say what they say they join', (encoder, before, between, after) => {
    const events = ordinaryEvents(3);
    const { body, contentType } = encoder.encode(events, info);
    expect(body).toBe(before + events.map(eventJson).join(between) + after);
    expect(encoder.joined).toEqual({ before, between, after, contentType });
  });
});

describe('formats by name', () => {
  it('make an encoder of that name, with which it can be used at once', () => {
    for (const [name, create] of Object.entries(ENCODERS)) {
      expect(isFormatName(name)).toBe(true);
      expect(create().name).toBe(name);
      expect(create().encode(ordinaryEvents(1), info).contentType).toMatch('/');
    }
    expect(isFormatName('toString')).toBe(false);
    expect(isFormatName(7)).toBe(false);
  });
});
