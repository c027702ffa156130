import { Injectable } from '@nestjs/common';
import type { Run } from './run.js';
import { RUNS } from './run.js';

/** The schedule, and where it stands. */
@Injectable()
export class RunsStore {
  private index = 0;

  all(): readonly Run[] {
    return RUNS;
  }

  find(id: string): Run | undefined {
    return RUNS.find((run) => run.id === id);
  }

  get onAir(): Run {
    return RUNS[this.index] as Run;
  }

  /** The next run goes on air; after the last one the marathon starts again. */
  advance(): Run {
    this.index = (this.index + 1) % RUNS.length;
    return this.onAir;
  }
}
