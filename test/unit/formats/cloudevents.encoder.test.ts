import { describe, expect, it } from '@jest/globals';
import type { CloudeventsEncoderOptions } from '../../../lib/formats/cloudevents.encoder.js';
import { cloudeventsEncoder } from '../../../lib/formats/cloudevents.encoder.js';
import type { EncodedBatch } from '../../../lib/formats/encoder.js';
import { bodyJson, bodyText, INFO } from '../../support/encoder-contract.js';
import { record, untyped } from '../../support/recording.js';
import { eventOf, thrownBy } from '../processors/events.js';

function encoded(options: CloudeventsEncoderOptions = {}): EncodedBatch {
  const { tracker, memory } = record({ context: { user: { id: 'u1' } } });
  tracker.emit('order.created', { total: 7 }, { id: 'e1' });
  return cloudeventsEncoder({ source: '/shop', ...options }).encode(memory.events, INFO);
}

describe('cloudeventsEncoder', () => {
  it('sends a batch of CloudEvents 1.0, the context as an extension of text', () => {
    expect(encoded()).toStrictEqual({
      contentType: 'application/cloudevents-batch+json',
      body: '[{"specversion":"1.0","id":"e1","source":"/shop","type":"order.created","time":"2026-01-01T00:00:00.000Z","datacontenttype":"application/json","trackingcontext":"{\\"user\\":{\\"id\\":\\"u1\\"}}","data":{"total":7}}]',
    });
  });

  it('puts the context beside the payload when told to', () => {
    expect(bodyText(encoded({ context: 'data' }))).toBe(
      '[{"specversion":"1.0","id":"e1","source":"/shop","type":"order.created","time":"2026-01-01T00:00:00.000Z","datacontenttype":"application/json","data":{"payload":{"total":7},"context":{"user":{"id":"u1"}}}}]',
    );
  });

  it('names the subject where there is one', () => {
    const subject = ({ data }: { data: object }): string => `order "${Object.keys(data).join()}"`;
    expect(bodyJson(encoded({ subject }))).toMatchObject([{ subject: 'order "total"' }]);
    for (const none of [undefined, '', 7]) {
      expect(bodyText(encoded({ subject: untyped(() => none) }))).not.toContain('subject');
    }
  });

  it('gives every attribute a name that CloudEvents allows, and a scalar', () => {
    const [event = {}] = bodyJson<Record<string, unknown>[]>(encoded({ subject: () => 's' }));
    const { data, ...attributes } = event;
    expect(data).toStrictEqual({ total: 7 });
    for (const [name, value] of Object.entries(attributes)) {
      expect(name).toMatch(/^[a-z0-9]{1,20}$/);
      expect(typeof value).toBe('string');
    }
  });

  it('names a source also when it is told none', () => {
    expect(bodyJson(cloudeventsEncoder().encode([eventOf()], INFO))).toMatchObject([
      { source: '/nestjs-tracking' },
    ]);
  });

  it.each(['', 'a b', 7, null])('refuses %j as the source', (source) => {
    expect(thrownBy(() => cloudeventsEncoder({ source: untyped(source) }))).toContain(
      'expected source to be a URI reference without spaces, got',
    );
  });

  it('lists everything that is wrong with its options', () => {
    const options = { source: '', subject: 1, context: 'x', url: 'y' };
    expect(thrownBy(() => cloudeventsEncoder(untyped(options)))).toBe(
      [
        'the options of cloudeventsEncoder() are wrong:',
        '  - url is not an option; known are source, subject, context',
        '  - expected source to be a URI reference without spaces, got ""',
        '  - expected subject to be a function, got 1',
        "  - expected context to be 'extension' or 'data', got \"x\"",
      ].join('\n'),
    );
  });
});
