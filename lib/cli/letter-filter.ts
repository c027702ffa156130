import { globMatcher } from '../core/patterns.js';
import type { DeadLetter } from '../delivery/dead-letter.js';
import { deadLetterMatcher } from '../delivery/dead-letter.js';
import type { Arguments } from './arguments.js';

/** Which dead letters are meant; the name may be a glob. */
export function letterFilter({
  reason,
  ids,
  from,
  to,
  name = '*',
}: Arguments): (letter: DeadLetter) => boolean {
  const isNamed = globMatcher(name);
  const matches = deadLetterMatcher({
    ...(reason === undefined ? {} : { reason }),
    ...(ids === undefined ? {} : { ids }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  });
  return (letter) => matches(letter) && isNamed(letter.event.name);
}
