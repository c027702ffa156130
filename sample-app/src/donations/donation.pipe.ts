import type { PipeTransform } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import { BodyReader } from '../validation/body-reader.js';
import type { NewDonation } from './donation.js';

const MIN_CENTS = 100;
const MAX_CENTS = 100_000_000;

@Injectable()
export class DonationPipe implements PipeTransform<unknown, NewDonation> {
  transform(body: unknown): NewDonation {
    const reader = new BodyReader(body);
    const amountCents = reader.integer('amountCents', MIN_CENTS, MAX_CENTS);
    const comment = reader.optionalText('comment', 200);
    reader.throwIfWrong();
    return { amountCents, ...(comment === undefined ? {} : { comment }) };
  }
}
