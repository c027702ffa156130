import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { Tracker } from 'nestjs-tracking';
import { InjectTracker } from 'nestjs-tracking';

/** How long a bank thinks. */
const CHARGE_MS = 20;

/** Stands in for a bank. It is told an amount and nothing else; its event knows the donor and the run all the same. */
@Injectable()
export class PaymentsService {
  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  /** @returns the id of the payment */
  async charge(amountCents: number): Promise<string> {
    await wait(CHARGE_MS);
    const payment = randomUUID();
    this.tracker.emit('payment.charged', { payment, amountCents });
    return payment;
  }
}
