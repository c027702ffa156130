/** Whether something must be awaited. Reading `then` may throw. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}

/** Lets go of something that nobody waits for, however it ends. */
export function ignore(promise: PromiseLike<unknown>): void {
  promise.then(undefined, () => undefined);
}
