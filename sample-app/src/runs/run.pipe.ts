import type { PipeTransform } from '@nestjs/common';
import { Injectable, NotFoundException } from '@nestjs/common';
import type { Run } from './run.js';
import { RunsStore } from './runs.store.js';

/** The run that a path names. */
@Injectable()
export class RunPipe implements PipeTransform<string, Run> {
  constructor(private readonly runs: RunsStore) {}

  transform(id: string): Run {
    const run = this.runs.find(id);
    if (run === undefined) {
      throw new NotFoundException('no such run: GET /runs lists them');
    }
    return run;
  }
}
