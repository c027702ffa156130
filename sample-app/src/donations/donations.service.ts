import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Tracker } from 'nestjs-tracking';
import { InjectTracker } from 'nestjs-tracking';
import type { Donor } from '../auth/donor.js';
import type { Run } from '../runs/run.js';
import type { NewDonation, Receipt } from './donation.js';
import { PaymentsService } from './payments.service.js';
import { TotalsStore } from './totals.store.js';

@Injectable()
export class DonationsService {
  constructor(
    private readonly payments: PaymentsService,
    private readonly totals: TotalsStore,
    @InjectTracker() private readonly tracker: Tracker,
  ) {}

  /** Whatever happens in here, across every `await`, carries the run; once it is paid, the payment too. */
  donate(run: Run, donor: Donor, donation: NewDonation): Promise<Receipt> {
    const { id, game } = run;
    return this.tracker.context('run', { run: { id, game } }, async () => {
      const payment = await this.payments.charge(donation.amountCents);
      return this.tracker.context('payment', { payment: { id: payment } }, () =>
        this.book(run, donor, donation),
      );
    });
  }

  private book(run: Run, donor: Donor, { amountCents, comment }: NewDonation): Receipt {
    const donation = randomUUID();
    const { totalCents } = this.totals.add(run.id, amountCents);
    this.tracker.emit('donation.received', {
      donation,
      run: run.id,
      amountCents,
      ...(comment === undefined ? {} : { comment }),
    });
    const { id, goalCents } = run;
    if (totalCents >= goalCents && totalCents - amountCents < goalCents) {
      this.tracker.emit('goal.reached', { run: id, goalCents, totalCents });
    }
    return {
      donation,
      run: run.id,
      amountCents,
      runTotalCents: totalCents,
      thanks: `Thank you, ${donor.name}!`,
    };
  }
}
