import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { BeforeApplicationShutdown } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import { Tracker, WithContext } from 'nestjs-tracking';
import { integer, object, optional, string } from '../schema.js';
import { PaymentsService } from './payments.service.js';
import type { Run } from './runs.service.js';

export interface NewDonation {
  readonly amountCents: number;
  readonly comment?: string;
}

export const newDonationSchema = object<NewDonation>({
  amountCents: integer(100, 100_000_000),
  comment: optional(string(200)),
});

@Injectable()
export class DonationsService implements BeforeApplicationShutdown {
  private readonly inProgress = new Set<Promise<unknown>>();

  constructor(
    private readonly payments: PaymentsService,
    private readonly tracker: Tracker,
  ) {}

  async donate(run: Run, donation: NewDonation) {
    const receipt = this.charge(run, donation);
    this.inProgress.add(receipt);
    try {
      return await receipt;
    } finally {
      this.inProgress.delete(receipt);
    }
  }

  /** `forceCloseConnections` cuts off the requests in progress: whoever has paid gets a receipt first. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.allSettled(this.inProgress);
    await setImmediate(); // The responses are written.
  }

  /** Whatever happens in here, across every `await`, carries the run; from the payment on, the payment too. */
  @WithContext('run', ({ id, game }: Run) => ({ run: { id, game } }))
  private async charge(run: Run, { amountCents, comment }: NewDonation) {
    const payment = await this.payments.charge(amountCents);
    this.tracker.enterContext('payment', { payment: { id: payment } });
    run.raisedCents += amountCents;
    const receipt = { donation: randomUUID(), run: run.id, amountCents };
    this.tracker.emit('donation.received', { ...receipt, comment });
    return receipt;
  }
}
