import type { MetricsRule } from 'nestjs-tracking';

/** What is counted for each run, and for all of them together. */
export const DONATIONS = 'donations';
export const AMOUNT_CENTS = 'amountCents';
export const DONORS = 'donors';

/** Whose counters these are: the marathon's as a whole, or one run's. */
export const MARATHON = 'marathon';

export function subjectOf(run: string): string {
  return `run:${run}`;
}

const event = 'donation.received';

const subject: MetricsRule['subject'] = ({ data }) => [MARATHON, subjectOf(data['run'] as string)];

/** From events to counters. The code that takes donations knows nothing of it. */
export const DONATION_RULES: readonly MetricsRule[] = [
  { event, subject, metric: DONATIONS },
  {
    event,
    subject,
    metric: AMOUNT_CENTS,
    by: ({ data }) => data['amountCents'] as number,
  },
  {
    event,
    subject,
    metric: DONORS,
    // However often somebody gives, it is one donor.
    unique: ({ context }) => (context['user'] as { id: string } | undefined)?.id,
  },
];
