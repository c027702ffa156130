import { Injectable, NotFoundException } from '@nestjs/common';

/** A game played as fast as possible, for money that somebody else gets. */
export interface Run {
  readonly id: string;
  readonly game: string;
  /** Since the app started. */
  raisedCents: number;
}

@Injectable()
export class RunsService {
  /** The schedule: the first one is on air. */
  readonly all: Run[] = [
    { id: 'celeste', game: 'Celeste', raisedCents: 0 },
    { id: 'super-metroid', game: 'Super Metroid', raisedCents: 0 },
    { id: 'portal-2', game: 'Portal 2', raisedCents: 0 },
  ];

  get onAir(): Run {
    return this.all[0] as Run;
  }

  /** The run on air is over; it comes again after the others. */
  next(): Run {
    this.all.push(...this.all.splice(0, 1));
    return this.onAir;
  }

  /** @throws NotFoundException */
  get(id: string): Run {
    const run = this.all.find((candidate) => candidate.id === id);
    if (run === undefined) {
      throw new NotFoundException('no such run: GET /runs lists them');
    }
    return run;
  }
}
