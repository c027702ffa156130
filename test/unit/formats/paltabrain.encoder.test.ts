import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { TrackingEvent } from '../../../lib/core/event.js';
import { eventBytes, eventJson } from '../../../lib/core/event.js';
import type { Encoder } from '../../../lib/formats/encoder.js';
import { PACKAGE_VERSION } from '../../../lib/formats/package-name.js';
import type { PaltabrainEncoderOptions } from '../../../lib/formats/paltabrain.encoder.js';
import { paltabrainEncoder } from '../../../lib/formats/paltabrain.encoder.js';
import { MAX_SESSIONS } from '../../../lib/formats/paltabrain-sessions.js';
import { batchesOf, INFO, readBack } from '../../support/encoder-contract.js';
import type { ReadPaltabrainBatch } from '../../support/paltabrain-proto.js';
import { readPaltabrain, textOf } from '../../support/paltabrain-proto.js';
import { record, untyped } from '../../support/recording.js';
import { eventOf, thrownBy } from '../processors/events.js';

const SESSION = 1_600_000_000_000;

function emitted(...contexts: readonly object[]): readonly TrackingEvent[] {
  const { tracker, memory } = record();
  contexts.forEach((context, index) => {
    tracker.emit('order.created', { total: 7 }, { id: `e${index}`, context });
  });
  return memory.events;
}

function sent(encoder: Encoder, events: readonly TrackingEvent[]): ReadPaltabrainBatch[] {
  return batchesOf(encoder, events).map((batch) => readPaltabrain(encoder.encode(batch, INFO)));
}

function sequences(batches: readonly ReadPaltabrainBatch[]): unknown[] {
  return batches.flatMap(({ events = [] }) => events.map(({ common }) => common.session_event_seq_num));
}

describe('paltabrainEncoder', () => {
  it('sends JSON in the bytes fields: shared context, the rest and the name in the header, payload', () => {
    const encoder = paltabrainEncoder({ instanceId: 'inst' });
    const [batch] = sent(
      encoder,
      emitted({
        user: { id: 'u1' },
        app: 'shop',
        request: { id: 'r1' },
        handler: { kind: 'http' },
      }),
    );
    expect(batch).toMatchObject({
      common: { instance_id: 'inst', batch_id: INFO.batchId },
      events: [{ common: { event_ts: Date.UTC(2026, 0, 1) } }],
    });
    expect(textOf(batch?.context)).toBe('{"user":{"id":"u1"},"app":"shop"}');
    expect(textOf(batch?.events?.[0]?.header)).toBe(
      '{"request":{"id":"r1"},"handler":{"kind":"http"},"_event":{"id":"e0","name":"order.created"}}',
    );
    expect(textOf(batch?.events?.[0]?.payload)).toBe('{"total":7}');
  });

  it('says who sends, and when the batch was made', () => {
    const request = paltabrainEncoder().encode(emitted({}), INFO);
    expect(request).toMatchObject({
      contentType: 'application/protobuf',
      headers: {
        'X-SDK-Name': 'NESTJS_TRACKING',
        'X-SDK-Version': PACKAGE_VERSION,
        'X-SDK-Client-Upload-TS': String(INFO.now),
      },
    });
    expect(paltabrainEncoder().maxBytes).toBe(512 * 1024);
  });

  it('makes a batch of consecutive events with the same context', () => {
    const [a, b] = [{ user: { id: 'a' } }, { user: { id: 'b' } }];
    const batches = sent(
      paltabrainEncoder(),
      emitted({ ...a, request: { id: '1' } }, { ...a, request: { id: '2' } }, b, a),
    );
    expect(batches.map(({ events }) => events?.length)).toStrictEqual([2, 1, 1]);
  });

  it("refuses a batch of several contexts: one user's events are not another's", () => {
    const events = emitted({ user: { id: 'a' } }, { user: { id: 'b' } });
    expect(thrownBy(() => paltabrainEncoder().encode(events, INFO))).toBe(
      'expected the events of one context in a batch, got those of 2',
    );
  });

  it('shares the keys that it is told to share', () => {
    const encoder = paltabrainEncoder({ contextKeys: ['app', 'none'] });
    const [batch] = sent(encoder, emitted({ app: 1, user: { id: 'a' }, _event: 'mine' }, { app: 1 }));
    expect(textOf(batch?.context)).toBe('{"app":1}');
    expect(batch?.events?.map(({ header }) => textOf(header))).toStrictEqual([
      '{"user":{"id":"a"},"_event":"mine","__event":{"id":"e0","name":"order.created"}}',
      '{"_event":{"id":"e1","name":"order.created"}}',
    ]);
    const [nothing] = sent(paltabrainEncoder({ contextKeys: [] }), emitted({}));
    expect(nothing).not.toHaveProperty('context');
  });

  it('numbers the events of each session from 1, without gaps', () => {
    const session = (id: unknown): object => ({ app: 1, session: { id } });
    const batches = sent(
      paltabrainEncoder(),
      emitted(session(1), session(2), {}, session(1), session(2), session(1)),
    );
    expect(sequences(batches)).toStrictEqual([1, 1, undefined, 2, 2, 3]);
    expect(batches[0]?.events?.[0]?.common.session_id).toBe(1);
  });

  it('keeps a number with its event, whatever is sent when, by whom and how often', () => {
    const accepting = paltabrainEncoder({ instanceId: 'before' });
    const stored = readBack(
      emitted({ session: { id: SESSION } }, { session: { id: SESSION } }).map((event) =>
        accepting.accept!(event),
      ),
    );
    const delivering = paltabrainEncoder({ instanceId: 'after' });
    const own = delivering.accept!(emitted({ session: { id: SESSION } })[0]!);
    expect(delivering.groupBy?.(own)).not.toBe(delivering.groupBy?.(stored[1]!));
    const [second, first, mine] = [stored[1]!, stored[0]!, own].map((event) =>
      readPaltabrain(delivering.encode([event], INFO)),
    ) as [ReadPaltabrainBatch, ReadPaltabrainBatch, ReadPaltabrainBatch];
    expect(sequences([second, first, mine])).toStrictEqual([2, 1, 1]);
    expect(second.common.instance_id).toBe('before');
    expect(mine.common.instance_id).toBe('after');
  });

  it('does not send the stored number as context', () => {
    for (const contextKeys of [undefined, ['_paltabrain', 'session'], []]) {
      const encoder = paltabrainEncoder(contextKeys ? { contextKeys } : {});
      const [batch] = sent(encoder, emitted({ session: { id: 1 } }));
      const header = textOf(batch?.events?.[0]?.header);
      expect(textOf(batch?.context) + header).not.toContain('_paltabrain');
    }
  });

  it.each(['a3f', '17', 1.5, 2 ** 53, null, { deep: 1 }])(
    'sends no session whose id is %j, which is no safe integer',
    (id) => {
      const encoder = paltabrainEncoder();
      const [event] = emitted({ session: { id } }) as [TrackingEvent];
      expect(encoder.accept?.(event)).toBe(event);
      const [batch] = sent(encoder, [event]);
      expect(Object.keys(batch!.events![0]!.common)).toStrictEqual(['event_ts']);
    },
  );

  it('stores the number in a sound, frozen event', () => {
    const [event] = emitted({ session: { id: 1 } }) as [TrackingEvent];
    const accepted = paltabrainEncoder({ instanceId: 'i' }).accept!(event);
    expect(accepted.context).toStrictEqual({
      session: { id: 1 },
      _paltabrain: { instanceId: 'i', sequence: 1 },
    });
    expect(event.context).toStrictEqual({ session: { id: 1 } });
    expect(Object.isFrozen(accepted.context['_paltabrain'])).toBe(true);
    expect(JSON.parse(eventJson(accepted))).toStrictEqual({ ...accepted });
    expect(eventBytes(accepted)).toBe(eventJson(accepted).length);
  });

  it('forgets the session that was quiet for longest, not the others', () => {
    const { accept } = paltabrainEncoder() as Required<Encoder>;
    const numberOf = (id: number): unknown =>
      (accept(eventOf({ context: { session: { id } } })).context['_paltabrain'] as { sequence: number })
        .sequence;
    for (let id = 1; id <= MAX_SESSIONS; id++) {
      numberOf(id);
    }
    expect(numberOf(1)).toBe(2);
    numberOf(MAX_SESSIONS + 1);
    expect(numberOf(1)).toBe(3);
    expect(numberOf(MAX_SESSIONS)).toBe(2);
    expect(numberOf(2)).toBe(1);
  });

  it('takes nonsense under the key of the stored number', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.jsonValue(), fc.record({ instanceId: fc.jsonValue(), sequence: fc.jsonValue() })),
        (stored) => {
          const [batch] = sent(
            paltabrainEncoder({ instanceId: 'i' }),
            emitted({ _paltabrain: stored, user: 1 }),
          );
          expect(textOf(batch?.context)).toBe('{"user":1}');
        },
      ),
    );
  });

  it('fills the bytes fields by a schema', () => {
    const bytes = (value: unknown): Uint8Array => Buffer.from(`<${JSON.stringify(value)}>`);
    const encoder = paltabrainEncoder({
      schema: {
        context: bytes,
        header: ({ name }, rest) => bytes([name, rest]),
        payload: ({ data }) => bytes(data),
      },
    });
    const [batch] = sent(encoder, emitted({ app: 1, request: { id: 'r' } }));
    expect(textOf(batch?.context)).toBe('<{"app":1}>');
    expect(textOf(batch?.events?.[0]?.header)).toBe('<["order.created",{"request":{"id":"r"}}]>');
    expect(textOf(batch?.events?.[0]?.payload)).toBe('<{"total":7}>');
  });

  it('asks for the telemetry of a batch', () => {
    const telemetry: PaltabrainEncoderOptions['telemetry'] = ({ now }) => ({
      storageUsed: now,
    });
    const [batch] = sent(paltabrainEncoder({ telemetry }), emitted({}));
    expect(batch?.telemetry).toStrictEqual({ storage_used: INFO.now });
  });

  it('is an instance of its own unless it is told who it is', () => {
    const ids = [paltabrainEncoder(), paltabrainEncoder()].map(
      (encoder) => sent(encoder, emitted({}))[0]?.common.instance_id,
    );
    expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(new Set(ids).size).toBe(2);
  });

  it('lists everything that is wrong with its options', () => {
    const options = {
      contextKeys: ['a', 1],
      instanceId: '',
      schema: { context: 1, events: 2 },
      telemetry: {},
    };
    expect(thrownBy(() => paltabrainEncoder(untyped(options)))).toBe(
      [
        'the options of paltabrainEncoder() are wrong:',
        '  - expected contextKeys to be an array of strings, got an array of 2',
        '  - expected instanceId to be a non-empty string, got ""',
        '  - expected telemetry to be a function, got an empty object',
        '  - schema.events is not an option; known are context, header, payload',
        '  - expected schema.context to be a function, got 1',
        '  - expected schema.events to be a function, got 2',
      ].join('\n'),
    );
    expect(thrownBy(() => paltabrainEncoder(untyped({ schema: null })))).toContain(
      'expected schema to be an object of functions, got null',
    );
  });
});
