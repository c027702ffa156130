import { describe, it } from '@jest/globals';
import type { TrackingEvent } from '../../../lib/core/event.js';
import { eventBytes } from '../../../lib/core/event.js';
import type { JsonObject } from '../../../lib/core/json.js';
import { atomEncoder } from '../../../lib/formats/atom.encoder.js';
import { cloudeventsEncoder } from '../../../lib/formats/cloudevents.encoder.js';
import type { EncodedBatch } from '../../../lib/formats/encoder.js';
import { gdqEncoder } from '../../../lib/formats/gdq.encoder.js';
import { paltabrainEncoder } from '../../../lib/formats/paltabrain.encoder.js';
import { segmentEncoder } from '../../../lib/formats/segment.encoder.js';
import type { SegmentMessage } from '../../../lib/formats/segment-message.js';
import type { ReadEvent } from '../../support/encoder-contract.js';
import { bodyJson, encoderContract } from '../../support/encoder-contract.js';
import { readPaltabrain, textOf } from '../../support/paltabrain-proto.js';

interface CloudEvent {
  readonly id: string;
  readonly type: string;
  readonly time: string;
  readonly trackingcontext?: string;
  readonly data: JsonObject;
}

encoderContract('cloudevents', {
  describe,
  it,
  make: () => cloudeventsEncoder({ source: '/shop' }),
  read: (request) =>
    bodyJson<CloudEvent[]>(request).map((event) => ({
      id: event.id,
      name: event.type,
      timestamp: event.time,
      data: event.data,
      context: JSON.parse(event.trackingcontext ?? 'null') as JsonObject,
    })),
});

encoderContract('cloudevents with the context beside the payload', {
  describe,
  it,
  make: () => cloudeventsEncoder({ source: '/shop', context: 'data' }),
  read: (request) =>
    bodyJson<CloudEvent[]>(request).map((event) => ({
      id: event.id,
      name: event.type,
      data: event.data['payload'] as JsonObject,
      context: event.data['context'] as JsonObject,
    })),
});

encoderContract('gdq', {
  describe,
  it,
  make: () => gdqEncoder(),
  read: (request) =>
    bodyJson<{ properties: JsonObject }[]>(request).map(({ properties }) => withoutMetadata(properties)),
});

encoderContract('atom, in bulk', {
  describe,
  it,
  make: () => atomEncoder({ authKey: 'key' }),
  read: (request) => (JSON.parse(atomData(request)) as JsonObject[]).map(withoutMetadata),
});

encoderContract('atom, in bulk as texts', {
  describe,
  it,
  make: () => atomEncoder({ bulkItems: 'texts' }),
  read: (request) =>
    (JSON.parse(atomData(request)) as string[]).map((text) =>
      withoutMetadata(JSON.parse(text) as JsonObject),
    ),
});

encoderContract('atom, one by one', {
  describe,
  it,
  make: () => atomEncoder({ send: 'post' }),
  read: (request) => [withoutMetadata(JSON.parse(atomData(request)) as JsonObject)],
});

encoderContract('atom, by GET', {
  describe,
  it,
  make: () => atomEncoder({ send: 'get' }),
  read: (request) => [withoutMetadata(JSON.parse(atomData(request)) as JsonObject)],
});

encoderContract('paltabrain', {
  describe,
  it,
  make: () => paltabrainEncoder({ instanceId: 'instance' }),
  read: (request) => {
    const { events = [], context } = readPaltabrain(request);
    return events.map(({ common, header, payload }) => {
      const { _event, ...rest } = JSON.parse(textOf(header)) as {
        _event: { id: string; name: string };
      };
      return {
        ..._event,
        timestamp: new Date(common.event_ts ?? 0).toISOString(),
        data: JSON.parse(textOf(payload)) as JsonObject,
        context: {
          ...(JSON.parse(textOf(context) || '{}') as JsonObject),
          ...rest,
        },
      };
    });
  },
});

encoderContract('segment', {
  describe,
  it,
  make: () => segmentEncoder(),
  read: (request) => readSegment(request),
  takes: fitsSegment,
});

encoderContract('segment with a map', {
  describe,
  it,
  make: () => segmentEncoder({ map: (message) => ({ ...message, extra: 1 }) }),
  read: (request) => readSegment(request),
  takes: fitsSegment,
});

function readSegment(request: EncodedBatch): ReadEvent[] {
  return bodyJson<{ batch: SegmentMessage[] }>(request).batch.map((message) => ({
    id: message.messageId,
    timestamp: message.timestamp,
    data: (message.properties ?? message.traits)!,
    ...(message.type === 'track' ? { name: message.event! } : {}),
  }));
}

function fitsSegment(event: TrackingEvent): boolean {
  return eventBytes(event) < 20_000;
}

function atomData({ body, path }: EncodedBatch): string {
  const query = new URLSearchParams(path?.split('?')[1]).get('data');
  const json = body === undefined ? Buffer.from(query!, 'base64') : Buffer.from(body);
  return (JSON.parse(json.toString()) as { data: string }).data;
}

/** Takes a payload and the event's metadata apart: the key with most underscores is ours. */
function withoutMetadata(properties: JsonObject): ReadEvent {
  const key = Object.keys(properties)
    .filter((candidate) => /^_+event$/.test(candidate))
    .sort()[0]!;
  const { [key]: metadata, ...data } = properties;
  return { ...(metadata as unknown as ReadEvent), data };
}
