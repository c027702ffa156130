import { describe, expect, it } from '@jest/globals';
import { encodePaltabrainBatch } from '../../../lib/formats/paltabrain-batch.js';
import { readPaltabrain } from '../../support/paltabrain-proto.js';

const NONE = new Uint8Array();
const EMPTY = {
  instanceId: 'i',
  batchId: 'b',
  context: NONE,
  events: [],
};

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text, 'hex');
}

/** Context, events and batch as PaltaBrain's own SDK put them on the wire. */
const CONTEXT =
  '0a160a08636f6d2e706f72611205302e312e301a03694f53220d0a03694f53120631352e332e3132050a03313233';
const SESSION_START = '0a00';
const PAGE_OPEN_HEADER = '0a1a0a0b6d61696e5f73637265656e0a0b66697273745f626c6f636b';
const PAGE_OPEN_PAYLOAD = '22050a03616263';
const GOLDEN =
  '0a0f0a04696e7374120762617463682d31122e0a160a08636f6d2e706f72611205302e312e301a03694f53220d0a03694f53120631352e332e3132050a033132331a160a10088080f4f6905d108080f4f6905d18021a020a001a390a10088280f4f6905d108080f4f6905d1804121c0a1a0a0b6d61696e5f73637265656e0a0b66697273745f626c6f636b1a0722050a03616263';

describe('encodePaltabrainBatch', () => {
  it("writes the bytes that PaltaBrain's own SDK writes", () => {
    const session = 1_600_000_000_000;
    const batch = encodePaltabrainBatch({
      instanceId: 'inst',
      batchId: 'batch-1',
      context: bytes(CONTEXT),
      events: [
        {
          timestampMs: session,
          sessionId: session,
          sequence: 1,
          header: NONE,
          payload: bytes(SESSION_START),
        },
        {
          timestampMs: session + 1,
          sessionId: session,
          sequence: 2,
          header: bytes(PAGE_OPEN_HEADER),
          payload: bytes(PAGE_OPEN_PAYLOAD),
        },
      ],
    });
    expect(hex(batch)).toBe(GOLDEN);
    expect(batch).toHaveLength(148);
  });

  it('leaves out a session that there is not', () => {
    const event = {
      timestampMs: 1_600_000_000_000,
      header: NONE,
      payload: bytes(SESSION_START),
    };
    const batch = encodePaltabrainBatch({ ...EMPTY, events: [event] });
    expect(hex(batch)).toContain('0a07088080f4f6905d1a020a00');
  });

  it('keeps zeros that mean something, and leaves out those that are the default', () => {
    const event = {
      timestampMs: 0,
      sessionId: 0,
      sequence: 0,
      header: NONE,
      payload: NONE,
    };
    const batch = encodePaltabrainBatch({ ...EMPTY, events: [event] });
    expect(hex(batch)).toBe('0a060a01691201621a060a0410001800');
  });

  it('writes the telemetry that is known', () => {
    const telemetry = {
      eventsDropped: 1,
      prevConnectionSpeed: 2,
      prevRequestTime: 3.4,
      eventsReportingSpeed: 4,
      serializationErrors: ['a', 'b'],
      storageErrors: ['c'],
      storageUsed: 2 ** 40,
      triggerType: 0,
      timeSinceLastBatch: -1,
    };
    expect(read({ ...EMPTY, telemetry }).telemetry).toStrictEqual({
      events_dropped: 1,
      prev_connection_speed: 2,
      prev_request_time: 3,
      events_reporting_speed: 4,
      serialization_errors: ['a', 'b'],
      storage_errors: ['c'],
      storage_used: 2 ** 40,
      trigger_type: 0,
      time_since_last_batch: -1,
    });
    expect(read({ ...EMPTY, telemetry: { eventsDropped: NaN } }).telemetry).toStrictEqual({});
    expect(read(EMPTY)).not.toHaveProperty('telemetry');
  });
});

function read(batch: Parameters<typeof encodePaltabrainBatch>[0]): ReturnType<typeof readPaltabrain> {
  return readPaltabrain({
    contentType: 'application/protobuf',
    body: encodePaltabrainBatch(batch),
  });
}
