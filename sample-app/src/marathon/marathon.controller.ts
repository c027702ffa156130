import { Controller, Get } from '@nestjs/common';
import { Track } from 'nestjs-tracking';
import type { Total } from '../donations/donation.js';
import { TotalsStore } from '../donations/totals.store.js';
import type { Run } from '../runs/run.js';
import { RunsStore } from '../runs/runs.store.js';

export interface Marathon extends Total {
  readonly onAir: Run;
}

@Controller()
export class MarathonController {
  constructor(
    private readonly runs: RunsStore,
    private readonly totals: TotalsStore,
  ) {}

  @Get()
  @Track('marathon.viewed', {
    data: ({ totalCents }: Marathon) => ({ totalCents }),
  })
  view(): Marathon {
    return { onAir: this.runs.onAir, ...this.totals.ofAll() };
  }
}
