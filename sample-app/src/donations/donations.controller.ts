import { Body, Controller, Param, Post, UseGuards } from '@nestjs/common';
import { Track } from 'nestjs-tracking';
import { CurrentDonor } from '../auth/current-donor.decorator.js';
import type { Donor } from '../auth/donor.js';
import { DonorGuard } from '../auth/donor.guard.js';
import type { Run } from '../runs/run.js';
import { RunPipe } from '../runs/run.pipe.js';
import type { NewDonation, Receipt } from './donation.js';
import { DonationPipe } from './donation.pipe.js';
import { DonationsService } from './donations.service.js';

@Controller('runs/:run/donations')
@UseGuards(DonorGuard)
export class DonationsController {
  constructor(private readonly donations: DonationsService) {}

  @Post()
  @Track('donation.refused', { on: 'failure' })
  donate(
    @Param('run', RunPipe) run: Run,
    @CurrentDonor() donor: Donor,
    @Body(DonationPipe) donation: NewDonation,
  ): Promise<Receipt> {
    return this.donations.donate(run, donor, donation);
  }
}
