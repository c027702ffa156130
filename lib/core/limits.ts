/** Bounds of one tracker. What exceeds them is dropped, reported and counted. */
export interface Limits {
  /** Largest event, as JSON in UTF-8. */
  readonly maxBytes: number;
  /** Deepest nesting of a payload; what lies deeper is cut. */
  readonly maxDepth: number;
  /** Most events that wait for one asynchronous processor chain or one backend's `send`. */
  readonly maxPending: number;
  /** Most bytes of them. */
  readonly pendingBytes: number;
  /** Longest time for one asynchronous processor. */
  readonly processorTimeoutMs: number;
  /** Longest time for one `send`. */
  readonly sendTimeoutMs: number;
  /** Longest time that `emitAsync` waits for room. */
  readonly blockTimeoutMs: number;
}

export const DEFAULT_LIMITS: Limits = Object.freeze({
  maxBytes: 1024 * 1024,
  maxDepth: 100,
  maxPending: 10_000,
  pendingBytes: 64 * 1024 * 1024,
  processorTimeoutMs: 5_000,
  sendTimeoutMs: 30_000,
  blockTimeoutMs: 5_000,
});
