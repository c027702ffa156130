/**
 * The events of this app and their payloads: every `Tracker` knows these names, and no others. Nothing imports this file,
 * the compiler finds it among the sources.
 */
declare module 'nestjs-tracking' {
  interface TrackedEvents {
    'marathon.viewed': { totalCents: number };
    'marathon.heartbeat': { totalCents: number; donations: number };
    'marathon.stopped': { totalCents: number; donations: number };

    'runs.listed': { runs: number };
    'run.viewed': { run: string };
    'run.started': { run: string; game: string };

    'donor.signed_in': { name: string; email: string };
    'sign_in.refused': { error: string };
    'access.denied': { to: 'donors' | 'admins'; reason: string };

    'payment.charged': { payment: string; amountCents: number };
    'donation.received': {
      donation: string;
      run: string;
      amountCents: number;
      comment?: string;
    };
    'donation.refused': { error: string };
    'goal.reached': { run: string; goalCents: number; totalCents: number };

    'totals.read': { totalCents: number };
    'stats.read': { accepted: number };
    'collector.stopped': { running: boolean };
    'collector.started': { running: boolean };
    'stats.viewed': { as: 'json' | 'text' };
  }
}

export {};
