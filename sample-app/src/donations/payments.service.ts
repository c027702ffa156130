import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Tracker } from 'nestjs-tracking';

/** Stands in for a bank. It gets an amount and nothing else; its event knows the donor and the run all the same. */
@Injectable()
export class PaymentsService {
  constructor(private readonly tracker: Tracker) {}

  /** @returns the id of the payment */
  async charge(amountCents: number): Promise<string> {
    await setTimeout(20);
    const payment = randomUUID();
    this.tracker.emit('payment.charged', { payment, amountCents });
    return payment;
  }
}
