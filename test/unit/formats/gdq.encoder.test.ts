import { describe, expect, it } from '@jest/globals';
import type { GdqEncoderOptions } from '../../../lib/formats/gdq.encoder.js';
import { gdqEncoder } from '../../../lib/formats/gdq.encoder.js';
import { bodyText, INFO } from '../../support/encoder-contract.js';
import { record, untyped } from '../../support/recording.js';
import { thrownBy } from '../processors/events.js';

function bodyOf(data: object, options?: GdqEncoderOptions): string {
  const { tracker, last } = record({ context: { run: 7 } });
  tracker.emit('donation_received', data, { id: 'e1' });
  return bodyText(gdqEncoder(options).encode([last()], INFO));
}

const METADATA =
  '{"id":"e1","name":"donation_received","timestamp":"2026-01-01T00:00:00.000Z","context":{"run":7}}';

describe('gdqEncoder', () => {
  it('sends an array of names and properties, with the rest of the event under _event', () => {
    expect(bodyOf({ amount: 25.1 })).toBe(
      `[{"event_name":"donation_received","properties":{"amount":25.1,"_event":${METADATA}}}]`,
    );
  });

  it('sends exactly what the ancestor sent when told to', () => {
    expect(bodyOf({ amount: 25.1 }, { metadata: false })).toBe(
      '[{"event_name":"donation_received","properties":{"amount":25.1}}]',
    );
    expect(bodyOf({}, { metadata: false })).toBe('[{"event_name":"donation_received","properties":{}}]');
  });

  it('puts the rest of the event where it is told to', () => {
    expect(bodyOf({}, { metadata: '$meta' })).toBe(
      `[{"event_name":"donation_received","properties":{"$meta":${METADATA}}}]`,
    );
  });

  it('leaves a key of the payload to the payload', () => {
    expect(bodyOf({ _event: 1, __event: 2 })).toBe(
      `[{"event_name":"donation_received","properties":{"_event":1,"__event":2,"___event":${METADATA}}}]`,
    );
    expect(bodyOf({ text: '_event', deep: { _event: 1 } })).toContain(
      `"deep":{"_event":1},"_event":${METADATA}`,
    );
  });

  it.each([0, '', {}, true])('refuses %j as the place of the rest', (value) => {
    expect(thrownBy(() => gdqEncoder({ metadata: untyped(value) }))).toContain(
      'expected metadata to be a non-empty string or false, got',
    );
  });

  it('refuses options that it does not know, or that are none', () => {
    expect(thrownBy(() => gdqEncoder(untyped({ buffered: true })))).toBe(
      'the options of gdqEncoder() are wrong:\n  - buffered is not an option; known are metadata',
    );
    expect(thrownBy(() => gdqEncoder(untyped(null)))).toContain('expected options to be an object, got null');
  });
});
