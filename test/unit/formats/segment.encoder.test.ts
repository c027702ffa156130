import { describe, expect, it } from '@jest/globals';
import type { TrackingEvent } from '../../../lib/core/event.js';
import { PACKAGE_NAME, PACKAGE_VERSION } from '../../../lib/formats/package-name.js';
import type { SegmentEncoderOptions } from '../../../lib/formats/segment.encoder.js';
import { segmentEncoder } from '../../../lib/formats/segment.encoder.js';
import type { SegmentMessage } from '../../../lib/formats/segment-message.js';
import { bodyJson, bodyText, INFO } from '../../support/encoder-contract.js';
import { record, untyped } from '../../support/recording.js';
import { thrownBy } from '../processors/events.js';

const LIBRARY = { name: PACKAGE_NAME, version: PACKAGE_VERSION };

function emitted(name: string, data: object, context: object): TrackingEvent {
  const { tracker, last } = record();
  tracker.emit(name, data, { id: 'e1', context });
  return last();
}

function messageOf(
  name: string,
  data: object = {},
  context: object = {},
  options: SegmentEncoderOptions = {},
): SegmentMessage {
  const request = segmentEncoder(options).encode([emitted(name, data, context)], INFO);
  return bodyJson<{ batch: SegmentMessage[] }>(request).batch[0]!;
}

function callOf(name: string, data?: object, context?: object): object {
  const { messageId, timestamp, context: sent, ...call } = messageOf(name, data, context);
  expect([messageId, timestamp]).toStrictEqual(['e1', '2026-01-01T00:00:00.000Z']);
  expect(sent).toMatchObject({ library: LIBRARY });
  return call;
}

const USER = { user: { id: 7 } };
const ALICE = { userId: '7' };
const NOBODY = { anonymousId: 'anonymous' };

describe('segmentEncoder', () => {
  it('sends a batch with the time at which it was made', () => {
    const event = emitted('order.created', { total: 7 }, USER);
    expect(segmentEncoder().encode([event], INFO)).toStrictEqual({
      contentType: 'application/json',
      body: `{"batch":[{"type":"track","messageId":"e1","timestamp":"2026-01-01T00:00:00.000Z","userId":"7","event":"order.created","properties":{"total":7},"context":{"library":${JSON.stringify(LIBRARY)},"user":{"id":7}}}],"sentAt":"2026-01-02T03:04:05.678Z"}`,
    });
  });

  it('keeps the time of the batch to itself when told to', () => {
    const events = [emitted('a', {}, {})];
    expect(bodyText(segmentEncoder({ sentAt: false }).encode(events, INFO))).not.toContain('sentAt');
  });

  it.each<[string, object, object]>([
    ['the user', USER, ALICE],
    ['the user before the session', { ...USER, session: { id: 's' } }, ALICE],
    ['the session of nobody', { session: { id: 's' } }, { anonymousId: 's' }],
    ['the session of an empty user', { user: { id: '' }, session: { id: 0 } }, { anonymousId: '0' }],
    ['one id for all who are unknown', {}, NOBODY],
    ['that same id when user and session are no objects', { user: 'u', session: ['s'] }, NOBODY],
  ])('speaks of %s', (_, context, identity) => {
    expect(callOf('order.created', {}, context)).toStrictEqual({
      type: 'track',
      event: 'order.created',
      properties: {},
      ...identity,
    });
  });

  it.each<[string, object, object, object]>([
    ['user.identified', { email: 'a@b' }, USER, { type: 'identify', ...ALICE, traits: { email: 'a@b' } }],
    [
      'user.identified',
      { userId: 'u9' },
      { session: { id: 's' } },
      { type: 'identify', userId: 'u9', traits: { userId: 'u9' } },
    ],
    [
      'group.identified',
      { groupId: 3, plan: 'pro' },
      USER,
      {
        type: 'group',
        ...ALICE,
        groupId: '3',
        traits: { groupId: 3, plan: 'pro' },
      },
    ],
    [
      'page.viewed',
      { name: 'Home', category: 'Docs', depth: 1 },
      {},
      {
        type: 'page',
        ...NOBODY,
        name: 'Home',
        category: 'Docs',
        properties: { name: 'Home', category: 'Docs', depth: 1 },
      },
    ],
    ['screen.viewed', { name: 7 }, USER, { type: 'screen', ...ALICE, properties: { name: 7 } }],
    [
      'user.aliased',
      { previousId: 's1' },
      USER,
      {
        type: 'alias',
        ...ALICE,
        previousId: 's1',
        properties: { previousId: 's1' },
      },
    ],
  ])('makes a call of its own of %s', (name, data, context, call) => {
    expect(callOf(name, data, context)).toStrictEqual(call);
  });

  it.each<[string, object, object, object]>([
    ['group.identified', { plan: 'pro' }, USER, ALICE],
    ['user.aliased', { previousId: '' }, USER, ALICE],
    ['user.aliased', { previousId: 's' }, {}, NOBODY],
  ])(
    'tracks a %s that lacks the id of its call, so that it is not refused',
    (event, properties, context, identity) => {
      expect(callOf(event, properties, context)).toStrictEqual({
        type: 'track',
        event,
        properties,
        ...identity,
      });
    },
  );

  it('changes messages by the map, which has the last word', () => {
    const message = messageOf('order.created', { total: 7 }, USER, {
      map: (given, event) => ({
        ...given,
        event: `Order ${JSON.stringify(event.data['total'])}`,
        integrations: { All: false },
      }),
    });
    expect(message).toMatchObject({
      event: 'Order 7',
      properties: { total: 7 },
      integrations: { All: false },
      ...ALICE,
    });
  });

  it('hands the map what it would send', () => {
    const seen: SegmentMessage[] = [];
    const map = (message: SegmentMessage): SegmentMessage => {
      seen.push(message);
      return message;
    };
    const args = ['group.identified', { groupId: 'g' }, USER] as const;
    expect(messageOf(...args, { map })).toStrictEqual(messageOf(...args));
    expect(seen).toMatchObject([{ type: 'group', traits: { groupId: 'g' } }]);
  });

  it.each([undefined, null, 'x', []])('refuses %j from the map', (answer) => {
    expect(thrownBy(() => messageOf('a', {}, {}, { map: untyped(() => answer) }))).toMatch(
      /^expected "map" to answer a message, got /,
    );
  });

  it('takes a message of 32 KB, and refuses a larger one before Segment refuses its batch', () => {
    const around = bodyText(
      segmentEncoder({ map: () => ({ text: '' }), sentAt: false }).encode([emitted('a', {}, {})], INFO),
    ).length;
    const encode = (text: string): number =>
      Buffer.byteLength(
        bodyText(
          segmentEncoder({ map: () => ({ text }), sentAt: false }).encode([emitted('a', {}, {})], INFO),
        ),
      );
    const room = 32 * 1024 - '{"text":""}'.length;
    expect(encode('x'.repeat(room))).toBe(around + room);
    expect(encode('é'.repeat(room / 2))).toBeGreaterThan(32_000);
    const refusal = '"a" has 32769 bytes as a message for Segment, which takes at most 32768';
    expect(thrownBy(() => encode('x'.repeat(room + 1)))).toBe(refusal);
    expect(thrownBy(() => encode('é'.repeat(room)))).toContain('takes at most 32768');
    expect(segmentEncoder().maxBytes).toBe(500_000);
  });

  it('lists everything that is wrong with its options', () => {
    const options = { map: {}, sentAt: 'yes', writeKey: 'w' };
    expect(thrownBy(() => segmentEncoder(untyped(options)))).toBe(
      [
        'the options of segmentEncoder() are wrong:',
        '  - writeKey is not an option; known are map, sentAt',
        '  - expected map to be a function, got an empty object',
        '  - expected sentAt to be true or false, got "yes"',
      ].join('\n'),
    );
  });
});
