/** The events of this app and their payloads. No file imports this one: the compiler finds it among the sources. */
declare module 'nestjs-tracking' {
  interface TrackedEvents {
    'donor.signed_in': { name: string; email: string };
    'sign_in.refused': { error: string };
    'access.denied': { reason: string };
    'runs.listed': { runs: number };
    'run.started': { run: string; game: string };
    'payment.charged': { payment: string; amountCents: number };
    'donation.received': { donation: string; run: string; amountCents: number; comment?: string | undefined };
    'donation.refused': { error: string };
    'stats.viewed': undefined;
    'marathon.stopped': { raisedCents: number };
  }
}

export {};
