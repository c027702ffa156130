import { ContextStore } from './context-store.js';
import { UuidSource } from './ids.js';

/**
 * The only state that outlives a tracker: the default context store, so that every tracker sees the same scopes, and the
 * sequence of ids, so that ids ascend over all trackers. It hangs on the global object under a registered symbol, so
 * that two copies of this package in one process meet.
 */
interface ProcessState {
  readonly store: ContextStore;
  readonly ids: UuidSource;
}

// The version changes with the shape of the classes, so that copies which do not understand each other do not meet.
const KEY = Symbol.for('nestjs-tracking.state.1');

function processState(): ProcessState {
  const shared = globalThis as { [KEY]?: ProcessState | undefined };
  return (shared[KEY] ??= { store: new ContextStore(), ids: new UuidSource() });
}

/** The store of every tracker and host that is given no other. */
export function defaultContextStore(): ContextStore {
  return processState().store;
}

export function defaultIds(): UuidSource {
  return processState().ids;
}
