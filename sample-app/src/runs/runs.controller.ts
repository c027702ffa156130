import { Controller, Get, Param } from '@nestjs/common';
import { Track } from 'nestjs-tracking';
import type { Run } from './run.js';
import { RunPipe } from './run.pipe.js';
import { RunsStore } from './runs.store.js';

@Controller('runs')
export class RunsController {
  constructor(private readonly runs: RunsStore) {}

  @Get()
  @Track('runs.listed', {
    data: (runs: readonly Run[]) => ({ runs: runs.length }),
  })
  list(): readonly Run[] {
    return this.runs.all();
  }

  @Get(':run')
  @Track('run.viewed', { data: ({ id }: Run) => ({ run: id }) })
  view(@Param('run', RunPipe) run: Run): Run {
    return run;
  }
}
