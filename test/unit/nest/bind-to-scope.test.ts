import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { firstValueFrom, Observable, of, Subject, take, throwError } from 'rxjs';
import { ContextStore } from '../../../lib/core/context-store.js';
import { Scope } from '../../../lib/core/scope.js';
import { bindToScope } from '../../../lib/nest/bind-to-scope.js';

const store = new ContextStore();
const scope = new Scope(undefined);

function bound<T>(answer: T): T {
  return bindToScope(store, scope, answer) as T;
}

describe('an answer', () => {
  it.each([
    ['a value', 7],
    ['nothing', undefined],
    ['null', null],
    ['an object', { next: 1 }],
    ['a readable stream', Readable.from(['a'])],
    ['a list', [1]],
  ])('that is %s stays what it is', (_, value) => {
    expect(bound(value)).toBe(value);
  });

  it('that is a promise settles as it would have', async () => {
    expect(await bound(Promise.resolve(7))).toBe(7);
    await expect(bound(Promise.reject(new Error('no')))).rejects.toThrow('no');
  });
});

describe('an Observable', () => {
  it('is subscribed to and left in the scope, once', () => {
    const found: unknown[] = [];
    const source = new Observable<number>((subscriber) => {
      found.push(store.current());
      subscriber.next(1);
      return () => {
        found.push(store.current());
      };
    });
    const subscription = bound(source).subscribe();
    subscription.unsubscribe();
    expect(found).toEqual([scope, scope]);
  });

  it('is left at once by who has enough, before it has answered at all', () => {
    const sent: number[] = [];
    const found: unknown[] = [];
    const endless = new Observable<number>((subscriber) => {
      subscriber.add(() => {
        found.push(store.current());
      });
      for (let n = 0; !subscriber.closed; n++) {
        sent.push(n);
        subscriber.next(n);
      }
    });
    const taken: number[] = [];
    bound(endless)
      .pipe(take(2))
      .subscribe((n) => taken.push(n));
    expect({ sent, taken }).toEqual({ sent: [0, 1], taken: [0, 1] });
    expect(found).toEqual([scope]);
  });

  it('passes on its end and its failure', async () => {
    const ends: string[] = [];
    bound(of(1)).subscribe({
      complete: () => {
        ends.push('complete');
      },
    });
    bound(throwError(() => new Error('no'))).subscribe({
      error: () => {
        ends.push('error');
      },
    });
    expect(ends).toEqual(['complete', 'error']);
    await expect(firstValueFrom(bound(of()))).rejects.toThrow('no elements');
  });

  it('answers in the context of its source', () => {
    const source = new Subject<number>();
    const found: unknown[] = [];
    bound(source.asObservable()).subscribe(() => {
      found.push(store.current());
    });
    const other = new Scope(undefined);
    store.run(other, () => {
      source.next(1);
    });
    expect(found).toEqual([other]);
  });
});

describe('an async iterator', () => {
  function iterator(ends: Partial<AsyncIterableIterator<unknown>> = {}): AsyncIterableIterator<unknown> {
    const made: AsyncIterableIterator<unknown> = {
      next: (...values) => Promise.resolve({ value: [store.current(), ...values] }),
      [Symbol.asyncIterator]: () => made,
      ...ends,
    };
    return made;
  }

  it('works in the scope whenever it is asked, with what it is given', async () => {
    const answer = bound(iterator());
    expect(await answer.next('a')).toEqual({ value: [scope, 'a'] });
    expect(answer[Symbol.asyncIterator]()).toBe(answer);
  });

  it('is ended in the scope', async () => {
    const answer = bound(
      iterator({
        return: (value) => Promise.resolve({ done: true, value: [store.current(), value] }),
        throw: (error) => Promise.resolve({ done: true, value: [store.current(), error] }),
      }),
    );
    expect(await answer.return?.('r')).toEqual({
      done: true,
      value: [scope, 'r'],
    });
    expect(await answer.throw?.('t')).toEqual({
      done: true,
      value: [scope, 't'],
    });
  });

  it('cannot be ended where it could not be', () => {
    const answer = bound(iterator());
    expect(answer).not.toHaveProperty('return');
    expect(answer).not.toHaveProperty('throw');
  });
});
