import { AsyncLocalStorage } from 'node:async_hooks';
import type { Frame } from './merged-context.js';
import { Scope } from './scope.js';

/**
 * Carries the current scope through asynchronous work. Any number of trackers read one store: frames belong to the
 * store, not to a tracker. Scopes are only ever entered by running a function in them.
 */
export class ContextStore {
  private readonly storage = new AsyncLocalStorage<Scope>();
  private readonly byKey = new WeakMap<object, Scope>();

  /** The scope of the running code. One that has retired counts as none. */
  current(): Scope | undefined {
    const scope = this.storage.getStore();
    return scope === undefined || scope.root.hasRetired() ? undefined : scope;
  }

  /** Whether the running code was started by the app's `onError`. */
  get isReporting(): boolean {
    return this.storage.getStore()?.isReporting === true;
  }

  run<T>(scope: Scope, work: () => T): T {
    return this.storage.run(scope, work);
  }

  /** Runs the work in a scope inside the current one, with one more frame. */
  nested<T>(name: string, frame: Frame, work: () => T): T {
    return this.storage.run(Scope.inside(this.current(), name, frame), work);
  }

  /** The root scope that was opened for an object: a request, a message. */
  scopeOf(key: object): Scope | undefined {
    return this.byKey.get(key);
  }

  /** Remembers the scope of an object, so that whoever meets the object again finds it. */
  link(key: object, scope: Scope): void {
    this.byKey.set(key, scope);
  }
}
