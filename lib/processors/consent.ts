import type { TrackingEvent } from '../core/event.js';
import type { Dropped, MaybePromise, Processor } from '../core/processor.js';
import { drop, filter } from '../core/processor.js';
import { isThenable } from '../core/thenable.js';
import { named, readArguments } from './named.js';

/** Whether the person an event is about agreed to it. */
export type HasConsent = (event: TrackingEvent) => MaybePromise<boolean>;

/**
 * A filter that asks for each event whether it may be recorded. Only `true` lets it through; for any other answer it is
 * dropped as `consent`, and dropped as well when the question fails or takes too long.
 *
 * @example consent(({ context }) => context.consent === 'all')
 * @throws TrackingError `invalid_options`
 */
export function consent(hasConsent: HasConsent): Processor {
  readArguments('consent', (problems) => {
    problems.function('hasConsent', hasConsent);
  });
  return named(
    'consent',
    filter((event) => {
      const answer: unknown = hasConsent(event);
      return isThenable(answer) ? Promise.resolve(answer).then(unlessGiven) : unlessGiven(answer);
    }),
  );
}

function unlessGiven(answer: unknown): Dropped | undefined {
  return answer === true ? undefined : drop('consent');
}
