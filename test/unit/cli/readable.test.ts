import { describe, expect, it } from '@jest/globals';
import { bytes, duration, events } from '../../../lib/cli/readable.js';

describe('numbers for people', () => {
  it.each([
    [0, '0 events'],
    [1, '1 event'],
    [1_234_567, '1,234,567 events'],
  ])('%d is %s', (value, text) => {
    expect(events(value)).toBe(text);
  });

  it.each([
    [0, '0 bytes'],
    [1_023, '1,023 bytes'],
    [1_024, '1.0 KiB'],
    [1_572_864, '1.5 MiB'],
    [5 * 2 ** 50, '5120.0 TiB'],
  ])('%d bytes are %s', (value, text) => {
    expect(bytes(value)).toBe(text);
  });

  it.each([
    [0, '0 ms'],
    [999.9, '999 ms'],
    [1_000, '1 s'],
    [60_000, '1 min'],
    [61_000, '1 min 1 s'],
    [3_600_000, '1 h'],
    [90_061_000, '1 d 1 h'],
    [86_400_000 * 3 + 60_000, '3 d'],
  ])('%d ms are %s', (value, text) => {
    expect(duration(value)).toBe(text);
  });
});
