import type { SendResult } from '../../lib/formats/encoder.js';
import type { Sent } from './delivery.js';
import { DELIVERED, rejected, retryable } from './delivery.js';

/** What a destination may do next; `hang` answers never. */
export type Mood =
  | 'deliver'
  | 'fail'
  | 'busy'
  | 'partial'
  | 'reject'
  | 'conflict'
  | 'refuse'
  | 'tooLarge'
  | 'block'
  | 'throw'
  | 'hang';

export const MOODS: readonly Mood[] = [
  ...(['deliver', 'fail', 'busy', 'partial', 'reject', 'conflict'] as const),
  ...(['refuse', 'tooLarge', 'block', 'throw', 'hang'] as const),
];

/** Answers in these moods, one after the other. */
export function answerIn(
  moods: () => readonly Mood[],
): (sent: Sent, n: number) => SendResult | Promise<SendResult> {
  return (sent, n) => {
    const now = moods();
    return answerOf(now[n % now.length] ?? 'deliver', sent);
  };
}

function answerOf(mood: Mood, sent: Sent): SendResult | Promise<SendResult> {
  switch (mood) {
    case 'deliver':
      return DELIVERED;
    case 'fail':
      return retryable();
    case 'busy':
      return retryable(2_000);
    case 'partial':
      return {
        status: 'partial',
        outcomes: new Map(
          sent.ids.map((id, at) => [id, (['delivered', 'rejected', 'retry'] as const)[at % 3] ?? 'retry']),
        ),
      };
    case 'reject':
      return rejected();
    case 'conflict':
      return rejected('event', 409);
    case 'refuse':
      return rejected('endpoint', 405);
    case 'tooLarge':
      return { status: 'tooLarge' };
    case 'block':
      return { status: 'blocked', error: { message: '403', httpStatus: 403 } };
    case 'throw':
      throw new Error('transport');
    case 'hang':
      return new Promise(() => undefined);
  }
}
