import { Body, Controller, Get, Param, Post, UseGuards } from '@nestjs/common';
import { Track } from 'nestjs-tracking';
import { CurrentDonor, DonorGuard } from '../auth/donor.guard.js';
import type { Donor } from '../auth/sessions.service.js';
import type { NewDonation } from './donations.service.js';
import { DonationsService, newDonationSchema } from './donations.service.js';
import type { Run } from './runs.service.js';
import { RunsService } from './runs.service.js';

@Controller('runs')
export class RunsController {
  constructor(
    private readonly runs: RunsService,
    private readonly donations: DonationsService,
  ) {}

  @Get()
  @Track('runs.listed', { data: (runs: readonly Run[]) => ({ runs: runs.length }) })
  list() {
    return this.runs.all;
  }

  @Post(':run/donations')
  @UseGuards(DonorGuard)
  @Track('donation.refused', { on: 'failure' })
  async donate(
    @Param('run') run: string,
    @CurrentDonor() { name }: Donor,
    @Body({ schema: newDonationSchema }) donation: NewDonation,
  ) {
    const receipt = await this.donations.donate(this.runs.get(run), donation);
    return { ...receipt, thanks: `Thank you, ${name}!` };
  }
}
