/** Cancels a timer. Opaque: only `clearTimeout` of the same clock understands it. */
export type TimerHandle = unknown;

/** Time, injected everywhere. The default is the system's; tests pass `fakeClock()` of `nestjs-tracking/testing`. */
export interface Clock {
  /** Wall time in milliseconds since the epoch. Stored, never waited on. */
  now(): number;
  /** Milliseconds of a clock that never jumps. Delays and timeouts are measured with it. */
  monotonicMs(): number;
  /** Calls `run` once after `ms`, outside the async context of the caller. Very long times may end early. */
  setTimeout(run: () => void, ms: number): TimerHandle;
  clearTimeout(handle: TimerHandle): void;
  /** Keeps the process alive until the function it answers is called: its own timers do not. */
  keepAlive?(): () => void;
}
