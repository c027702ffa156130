import { AsyncResource } from 'node:async_hooks';

/** What an answer came to, when it did not resolve. */
export interface Failure {
  readonly error: unknown;
}

type Listener = (failure?: Failure) => void;

/**
 * Listens to the promises that one backend answers. Events that are stored together are answered with one promise, and it
 * is listened to once: what each of them would have cost was more than all the rest.
 *
 * Invariants
 * - Each listener is called once, unless it left before, in the order in which they came.
 * - What several share is told in nobody's async context.
 */
export class SharedAnswers {
  private readonly outside = new AsyncResource('nestjs-tracking');
  private answer: PromiseLike<unknown> | undefined;
  private listeners = new Set<Listener>();

  /** Calls back when the answer is there, never at once. Answers how to leave. The listener must not throw. */
  listen(answer: PromiseLike<unknown>, listener: Listener): () => void {
    if (answer !== this.answer) {
      this.follow(answer);
    }
    const { listeners } = this;
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  private follow(answer: PromiseLike<unknown>): void {
    const listeners = new Set<Listener>();
    this.answer = answer;
    this.listeners = listeners;
    const tell = (failure?: Failure): void => {
      if (this.answer === answer) {
        this.answer = undefined;
      }
      for (const listener of listeners) {
        listener(failure);
      }
    };
    const tellAll = (failure?: Failure): void => {
      if (listeners.size > 1) {
        this.outside.runInAsyncScope(tell, undefined, failure);
      } else {
        tell(failure);
      }
    };
    // Whatever it is, it is called by the promise made of it, and not at once.
    Promise.resolve(answer).then(
      () => {
        tellAll();
      },
      (error: unknown) => {
        tellAll({ error });
      },
    );
  }
}
