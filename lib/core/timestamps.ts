import type { Clock } from './clock.js';

/** Furthest moment that a `Date` can hold, in both directions. */
const MAX_DATE_MS = 8.64e15;

/** The ISO text of the present, made once per millisecond: `toISOString` costs more than the rest of an event's head. */
export class IsoClock {
  private ms = Number.NaN;
  private iso = '';

  constructor(private readonly clock: Clock) {}

  now(): number {
    return this.clock.now();
  }

  format(ms: number): string {
    if (ms !== this.ms) {
      this.iso = new Date(ms).toISOString();
      this.ms = ms;
    }
    return this.iso;
  }
}

/** Reads a `Date`, epoch milliseconds or an ISO text; answers epoch milliseconds, or `undefined` for anything else. */
export function parseTimestamp(input: unknown): number | undefined {
  const ms = input instanceof Date ? input.getTime() : typeof input === 'string' ? Date.parse(input) : input;
  return typeof ms === 'number' && Math.abs(ms) <= MAX_DATE_MS ? ms : undefined;
}
