/** Answers a number from 0 up to, and without, 1. */
export type Random = () => number;

export interface BackoffOptions {
  readonly baseMs: number;
  readonly maxDelayMs: number;
}

/** A destination that came back is to be noticed within this time, as long as it has not been away for long. */
const PROBE_MS = 500;
const QUICK_PROBES = 20;

/**
 * Exponential backoff with full jitter: any time up to `baseMs`, doubled with each attempt, at most `maxDelayMs`.
 *
 * @param attempt the one that failed, from 1
 */
export function backoffMs(attempt: number, { baseMs, maxDelayMs }: BackoffOptions, random: Random): number {
  return random() * Math.min(maxDelayMs, baseMs * 2 ** (attempt - 1));
}

/**
 * How long the lane that probes waits before its next probe: at first at most 500 ms, later up to `maxDelayMs`.
 *
 * @param probes how many have failed
 */
export function probeDelayMs(probes: number, maxDelayMs: number, random: Random): number {
  const window = Math.min(maxDelayMs, PROBE_MS * 2 ** Math.max(0, probes - QUICK_PROBES));
  return window * (0.5 + random() / 2);
}
