import { isThenable } from '../core/thenable.js';

/**
 * What a function of the app answered, unless that is a promise: nobody waits for it, and its rejection must not end
 * the process.
 *
 * @throws TypeError for a promise
 */
export function answeredNow<T>(answer: T): T {
  if (isThenable(answer)) {
    void answer.then(undefined, () => undefined);
    throw new TypeError('expected an answer at once, got a promise');
  }
  return answer;
}
