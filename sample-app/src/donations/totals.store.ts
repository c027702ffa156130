import { Injectable } from '@nestjs/common';
import type { Total } from './donation.js';

const NOTHING: Total = { donations: 0, totalCents: 0 };

/** What was given, by run. */
@Injectable()
export class TotalsStore {
  private readonly byRun = new Map<string, Total>();

  /** @returns the total of the run with this donation */
  add(run: string, amountCents: number): Total {
    const total = sum(this.ofRun(run), {
      donations: 1,
      totalCents: amountCents,
    });
    this.byRun.set(run, total);
    return total;
  }

  ofRun(run: string): Total {
    return this.byRun.get(run) ?? NOTHING;
  }

  ofAll(): Total {
    return [...this.byRun.values()].reduce(sum, NOTHING);
  }
}

function sum(a: Total, b: Total): Total {
  return {
    donations: a.donations + b.donations,
    totalCents: a.totalCents + b.totalCents,
  };
}
