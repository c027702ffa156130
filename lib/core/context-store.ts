import { AsyncLocalStorage } from 'node:async_hooks';
import type { JsonObject } from './json.js';
import { Scope } from './scope.js';
import type { ScopeOwner } from './scope-owner.js';

/**
 * Carries the current scope through asynchronous work. Any number of trackers read one store: frames belong to the
 * store, not to a tracker. Scopes are only ever entered by running a function in them.
 */
export class ContextStore {
  private readonly storage = new AsyncLocalStorage<Scope>();
  /**
   * Where an object remembers its scope. Not a WeakMap: a scope leads back to its request, and in one of those every
   * request would outlive the collections of young objects, which makes them many times dearer.
   */
  private readonly mark = Symbol('nestjs-tracking.scope');
  /** For objects that take no property. */
  private readonly unmarked = new WeakMap<object, Scope>();

  /** The scope of the running code. */
  current(): Scope | undefined {
    return this.storage.getStore();
  }

  run<T>(scope: Scope, work: () => T): T {
    return this.storage.run(scope, work);
  }

  /** Runs the work in a scope inside the current one, with one more frame. */
  nested<T>(name: string, frame: JsonObject, work: () => T): T {
    const scope = Scope.inside(this.current());
    scope.enter(name, frame);
    return this.storage.run(scope, work);
  }

  /**
   * Opens the root scope of a request, empty whatever store was active before, and remembers it under the keys by
   * which other doors may come to the same request.
   */
  open(owner: ScopeOwner, keys: readonly object[]): Scope {
    const scope = new Scope(undefined, owner);
    for (const key of keys) {
      this.link(key, scope);
    }
    return scope;
  }

  /** The root scope that was opened for a request. */
  scopeOf(key: object): Scope | undefined {
    return Object.hasOwn(key, this.mark) ? (key as Record<symbol, Scope>)[this.mark] : this.unmarked.get(key);
  }

  link(key: object, scope: Scope): void {
    // Not enumerable: copies and logs of a request do not show it.
    const mark = { value: scope, configurable: true };
    if (!Reflect.defineProperty(key, this.mark, mark)) {
      this.unmarked.set(key, scope);
    }
  }
}
