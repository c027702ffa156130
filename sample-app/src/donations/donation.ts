/** What a donor sends. */
export interface NewDonation {
  readonly amountCents: number;
  readonly comment?: string;
}

/** What a donor gets back. */
export interface Receipt {
  readonly donation: string;
  readonly run: string;
  readonly amountCents: number;
  readonly runTotalCents: number;
  readonly thanks: string;
}

/** What has come together. */
export interface Total {
  readonly donations: number;
  readonly totalCents: number;
}
