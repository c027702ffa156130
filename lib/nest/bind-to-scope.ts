import { isObservable, Observable, takeWhile } from 'rxjs';
import type { ContextStore } from '../core/context-store.js';
import type { Scope } from '../core/scope.js';

/**
 * What a method returns may do its work later, in the context of whoever wants the results: an Observable when it is
 * subscribed to, an async generator each time it is asked. This makes it work in the scope that it was made in.
 */
export function bindToScope(store: ContextStore, scope: Scope, answer: unknown): unknown {
  if (isObservable(answer)) {
    return bindObservable(store, scope, () => answer);
  }
  if (answer instanceof Promise) {
    return answer.then((value) => bindToScope(store, scope, value));
  }
  return isAsyncIterator(answer) ? bindIterator(store, scope, answer) : answer;
}

/** Makes an Observable, subscribes to it and leaves it in a scope: a client that goes is seen in its own. */
export function bindObservable(
  store: ContextStore,
  scope: Scope,
  make: () => Observable<unknown>,
): Observable<unknown> {
  return new Observable((subscriber) => {
    // A subscription of its own, or the source would be left where its consumer leaves. It ends by the predicate when
    // the consumer leaves before it is there.
    const subscription = store.run(scope, () =>
      make()
        .pipe(
          takeWhile((value) => {
            subscriber.next(value);
            return !subscriber.closed;
          }),
        )
        .subscribe({
          error: (error: unknown) => {
            subscriber.error(error);
          },
          complete: () => {
            subscriber.complete();
          },
        }),
    );
    return () => {
      store.run(scope, () => {
        subscription.unsubscribe();
      });
    };
  });
}

function isAsyncIterator(value: unknown): value is AsyncIterableIterator<unknown> {
  if (typeof value !== 'object' || value === null) {
    return false;
  }
  // A readable stream can be iterated too, but whoever gets it wants the stream.
  const candidate = value as Partial<AsyncIterableIterator<unknown>>;
  return typeof candidate.next === 'function' && typeof candidate[Symbol.asyncIterator] === 'function';
}

function bindIterator(
  store: ContextStore,
  scope: Scope,
  iterator: AsyncIterableIterator<unknown>,
): AsyncIterableIterator<unknown> {
  const bound: AsyncIterableIterator<unknown> = {
    next: (...values) => store.run(scope, () => iterator.next(...values)),
    [Symbol.asyncIterator]: () => bound,
  };
  for (const name of ['return', 'throw'] as const) {
    const end = iterator[name]?.bind(iterator);
    if (end !== undefined) {
      bound[name] = (value?: unknown) => store.run(scope, () => end(value));
    }
  }
  return bound;
}
