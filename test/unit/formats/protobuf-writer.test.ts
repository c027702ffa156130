import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { ProtobufWriter } from '../../../lib/formats/protobuf-writer.js';

const Sample = protobuf
  .parse(
    'syntax = "proto3"; message Sample { optional sint64 number = 1; optional string text = 2; optional bytes raw = 300; Sample inner = 4; }',
  )
  .root.lookupType('Sample');

function hex(writer: ProtobufWriter): string {
  return Buffer.from(writer.finish()).toString('hex');
}

function read(writer: ProtobufWriter): Record<string, unknown> {
  return Sample.toObject(Sample.decode(writer.finish()), { longs: String });
}

describe('ProtobufWriter', () => {
  it.each([
    [0, '0800'],
    [-0, '0800'],
    [-1, '0801'],
    [1, '0802'],
    [64, '088001'],
    [1_600_000_000_000, '088080f4f6905d'],
    [2n ** 63n - 1n, '08feffffffffffffffff01'],
    [-(2n ** 63n), '08ffffffffffffffffff01'],
  ])('writes %s as a signed integer of 64 bits', (value, bytes) => {
    expect(hex(new ProtobufWriter().sint64(1, value))).toBe(bytes);
  });

  it('writes any integer of 64 bits so that protobufjs reads it back', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.maxSafeInteger(),
          fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
          fc.integer({ min: -3, max: 3 }).map((n) => 2 ** 51 + n),
          fc.integer({ min: -3, max: 3 }).map((n) => -(2 ** 51) + n),
        ),
        (value) => {
          expect(read(new ProtobufWriter().sint64(1, value))).toStrictEqual({
            number: String(value),
          });
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it.each([1.5, NaN, Infinity, 2 ** 63, 2n ** 63n, -(2n ** 63n) - 1n])(
    'refuses %s as an integer of 64 bits',
    (value) => {
      expect(() => new ProtobufWriter().sint64(1, value)).toThrow(
        expect.objectContaining({ name: 'RangeError' }),
      );
    },
  );

  it('writes texts, bytes and messages of any length', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 2_000 }),
        fc.uint8Array({ maxLength: 2_000 }),
        (text, raw) => {
          const inner = new ProtobufWriter().string(2, text);
          const written = new ProtobufWriter().string(2, text).bytes(300, raw).message(4, inner);
          const found = read(written);
          const wellFormed = Buffer.from(text).toString();
          expect(found['text']).toBe(wellFormed);
          expect(Buffer.from(found['raw'] as Uint8Array)).toStrictEqual(Buffer.from(raw));
          expect(found['inner']).toStrictEqual({ text: wellFormed });
        },
      ),
    );
  });

  it('answers bytes that do not change when it writes on', () => {
    const writer = new ProtobufWriter().string(2, 'a');
    const before = writer.finish();
    writer.string(2, 'b');
    expect(Buffer.from(before).toString('hex')).toBe('120161');
    expect(hex(writer)).toBe('120161120162');
  });
});
