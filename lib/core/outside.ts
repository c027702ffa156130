import { AsyncLocalStorage } from 'node:async_hooks';

/** Runs work outside any request: in the async context in which this package was loaded. */
export const outside: <T>(work: () => T) => T = AsyncLocalStorage.snapshot();
