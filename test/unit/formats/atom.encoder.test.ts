import { describe, expect, it } from '@jest/globals';
import type { TrackingEvent } from '../../../lib/core/event.js';
import type { AtomEncoderOptions } from '../../../lib/formats/atom.encoder.js';
import { atomEncoder, atomSignature } from '../../../lib/formats/atom.encoder.js';
import type { EncodedBatch } from '../../../lib/formats/encoder.js';
import { PACKAGE_NAME, PACKAGE_VERSION } from '../../../lib/formats/package-name.js';
import { bodyJson, bodyText, INFO } from '../../support/encoder-contract.js';
import { record, untyped } from '../../support/recording.js';
import { thrownBy } from '../processors/events.js';

interface Sent {
  readonly table: string;
  readonly data: string;
  readonly auth?: string;
  readonly bulk?: boolean;
}

function clicks(...payloads: readonly object[]): readonly TrackingEvent[] {
  const { tracker, memory } = record();
  payloads.forEach((data, index) => {
    tracker.emit('clicks', data, { id: `e${index}` });
  });
  return memory.events;
}

function encoded(options: AtomEncoderOptions, events = clicks({ i: 0 })): EncodedBatch {
  return atomEncoder({ metadata: false, ...options }).encode(events, INFO);
}

describe('atomSignature', () => {
  it.each([
    [
      'test_key',
      '{"event_name": "test", "id": "2"}',
      'a2598894d9e8d743dd5d65c63cc5b8396f3e0617e5d57c52a458765180980edc',
    ],
    ['DEF', 'x', '832ae4611f39f8d1b880028d1470173ea82fa061af4f2ec66838f2aaffe9e320'],
    [
      'test_key',
      '[{"event_name": "test", "id": "2"}, {"a": 1}]',
      '1cc6a4b630155886ff5bca8333f42049fc7eb239852cf845afdcf81bcdbbac98',
    ],
    [
      'k1',
      '["{\\"i\\": 0}", "{\\"i\\": 1}", "{\\"i\\": 2}"]',
      '04b4ba27c9e62304e07a6d4d5c988ab7046a25b26c3676cb460499fc08b8a8ac',
    ],
  ])('signs with %s what the service signs', (key, data, signature) => {
    expect(atomSignature(key, data)).toBe(signature);
  });
});

describe('atomEncoder', () => {
  it('sends many events in one bulk, with the rest of each under _event', () => {
    const request = atomEncoder().encode(clicks({ i: 0 }, {}), INFO);
    expect(request.path).toBe('/bulk');
    expect(bodyText(request)).toBe(
      JSON.stringify({
        table: 'clicks',
        data: '[{"i":0,"_event":{"id":"e0","name":"clicks","timestamp":"2026-01-01T00:00:00.000Z","context":{}}},{"_event":{"id":"e1","name":"clicks","timestamp":"2026-01-01T00:00:00.000Z","context":{}}}]',
        bulk: true,
      }),
    );
  });

  it("sends exactly what the ancestor's tracker sent when told to: a list of texts", () => {
    const options = { bulkItems: 'texts', authKey: 'k1' } as const;
    const data = '["{\\"i\\":0}","{\\"i\\":1}"]';
    expect(bodyText(encoded(options, clicks({ i: 0 }, { i: 1 })))).toBe(
      JSON.stringify({
        table: 'clicks',
        data,
        auth: atomSignature('k1', data),
        bulk: true,
      }),
    );
  });

  it('sends one event by POST, not as a bulk', () => {
    expect(encoded({ send: 'post' })).toStrictEqual({
      contentType: 'application/json',
      headers: {
        'x-ironsource-atom-sdk-type': PACKAGE_NAME,
        'x-ironsource-atom-sdk-version': PACKAGE_VERSION,
      },
      body: '{"table":"clicks","data":"{\\"i\\":0}"}',
    });
  });

  it('sends one event by GET as base64 that survives a URL', () => {
    const { path, method, body } = encoded({ send: 'get' }, clicks({ text: 'ü?>~ÿ' }));
    expect([method, body]).toStrictEqual(['GET', undefined]);
    expect(path).toMatch(/^\?data=[\w%]+$/);
    const data = new URL(`http://x/${path}`).searchParams.get('data');
    expect(Buffer.from(data!, 'base64').toString()).toBe(
      '{"table":"clicks","data":"{\\"text\\":\\"ü?>~ÿ\\"}"}',
    );
  });

  it('posts an event that is too long for a URL', () => {
    const { method, path, body } = encoded({ send: 'get' }, clicks({ text: 'x'.repeat(8_000) }));
    expect([method, path]).toStrictEqual([undefined, undefined]);
    expect(body).toContain('xxx');
  });

  it('signs with the key of the stream exactly the text that it sends', () => {
    const authKey = (stream: string): string | undefined => (stream === 'clicks' ? 'secret' : undefined);
    const { data, auth } = bodyJson<Sent>(encoded({ authKey }, clicks({ text: 'ü' })));
    expect(auth).toBe(atomSignature('secret', data));
    const stream = (): string => 'views';
    expect(bodyJson(encoded({ authKey, stream }))).not.toHaveProperty('auth');
    expect(bodyJson(encoded({ authKey: '' }))).not.toHaveProperty('auth');
  });

  it("keeps streams apart, which are the events' names unless it is told otherwise", () => {
    const [event] = clicks({ i: 0 }) as [TrackingEvent];
    const plain = atomEncoder();
    expect(plain.partitionBy?.(event)).toBe('clicks');
    expect(plain.groupBy?.(event)).toBe('clicks');
    const named = atomEncoder({
      stream: ({ data }) => `t${JSON.stringify(data['i'])}`,
    });
    expect(named.partitionBy?.(event)).toBe('t0');
    expect(named.groupBy?.(event)).toBe('t0');
    expect(bodyJson(named.encode([event], INFO))).toMatchObject({
      table: 't0',
    });
    const none = atomEncoder({ stream: untyped(() => 7) });
    expect(none.partitionBy?.(event)).toBe('clicks');
  });

  it('refuses a batch of several streams', () => {
    const events = clicks({ t: 'a' }, { t: 'b' });
    const stream = ({ data }: TrackingEvent): string => data['t'] as string;
    expect(thrownBy(() => encoded({ stream }, events))).toBe(
      'expected the events of one stream in a batch, got those of 2',
    );
  });

  it('knows the limits of the service', () => {
    expect(atomEncoder()).toMatchObject({ maxEvents: 2000, maxBytes: 524288 });
    expect(atomEncoder({ send: 'post' }).maxEvents).toBe(1);
    expect(atomEncoder({ send: 'get' }).maxEvents).toBe(1);
  });

  it('lists everything that is wrong with its options, and shows no key', () => {
    const options = {
      stream: 'clicks',
      authKey: { secret: 's3cret' },
      send: 'put',
      bulkItems: 1,
      metadata: true,
    };
    expect(thrownBy(() => atomEncoder(untyped(options)))).toBe(
      [
        'the options of atomEncoder() are wrong:',
        '  - expected stream to be a function, got "clicks"',
        '  - authKey: expected a string or a function',
        "  - expected send to be 'bulk' or 'post' or 'get', got \"put\"",
        "  - expected bulkItems to be 'objects' or 'texts', got 1",
        '  - expected metadata to be a non-empty string or false, got true',
      ].join('\n'),
    );
  });
});
