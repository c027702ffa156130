/**
 * The timers of the running process, taken before a test runner can put fake ones in their place: what bounds a wait
 * in a test must not stand still with the time that the test moves by hand.
 */
export const realTime = Object.freeze({
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setImmediate: globalThis.setImmediate,
});

/** Lets every promise that can settle without timers or input do so. */
export function settlePromises(): Promise<void> {
  return new Promise((resolve) => {
    realTime.setImmediate(resolve);
  });
}
