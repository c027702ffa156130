/** What was given. */
export interface Given {
  readonly donations: number;
  readonly amountCents: number;
}

/** What was given in one day, `2026-11-25`, or in one hour, `2026-11-25T19`; both in UTC. */
export interface Bucket extends Given {
  readonly bucket: string;
}

export interface Counted extends Given {
  /** How many different ones. */
  readonly donors: number;
  /** The last seven, today's at the end. */
  readonly days: readonly Bucket[];
  /** The last 24, the present one at the end. */
  readonly hours: readonly Bucket[];
}

export interface RunStats extends Counted {
  readonly run: string;
}

export interface Stats extends Counted {
  /** Who was given most comes first. */
  readonly topRuns: readonly RunStats[];
}
