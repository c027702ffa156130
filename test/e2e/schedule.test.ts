import { setImmediate as turn } from 'node:timers/promises';
import type { INestApplicationContext } from '@nestjs/common';
import { Injectable, Module, Scope, SetMetadata } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, NestFactory } from '@nestjs/core';
import { Cron, Interval, ScheduleModule, SchedulerRegistry, Timeout } from '@nestjs/schedule';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { getTrackerToken, InjectTracker, TrackingModule, WithContext } from 'nestjs-tracking';
import type { Tracker, TrackingModuleOptions } from 'nestjs-tracking';
import type { MemoryBackend } from 'nestjs-tracking/testing';
import { memoryBackend } from 'nestjs-tracking/testing';
import { contextOf, HOSTS, listen, QUIET } from '../support/transports.js';

/** No test waits for New Year. */
const YEARLY = '0 0 1 1 *';
const QUEUE = 'test:queue';

@Injectable()
class Jobs {
  private ticks = 0;

  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  @Cron(YEARLY, { name: 'above' })
  @WithContext('job', { job: 'above' })
  above(): Promise<void> {
    return this.tick();
  }

  @WithContext('job', { job: 'below' })
  @Cron(YEARLY, { name: 'below' })
  below(): Promise<void> {
    return this.tick();
  }

  @Cron(YEARLY, { name: 'bare' })
  bare(): void {
    this.tracker.enterContext('leak', { leak: true });
    this.tracker.emit('bare');
  }

  @Cron(YEARLY, { name: 'failing' })
  @WithContext('job', { job: 'failing' })
  async failing(): Promise<void> {
    await turn();
    this.tracker.emit('before.failure');
    throw new Error('no');
  }

  @Interval('often', 1)
  @WithContext('job', { job: 'often' })
  often(): void {
    this.tracker.emit('often');
    this.tracker.enterContext('seen', { seen: true });
  }

  @WithContext('job', { job: 'once' })
  @Timeout('once', 1)
  once(): void {
    this.tracker.emit('once');
  }

  private async tick(): Promise<void> {
    const tick = this.ticks++;
    this.tracker.enterContext('tick', { tick });
    await turn();
    this.tracker.emit('ticked', { tick });
  }
}

/** What a queue's package does: a decorator that marks a method, and a worker that finds and calls it. */
const Consume = (queue: string): MethodDecorator => SetMetadata(QUEUE, queue);

interface Job {
  readonly id: number;
  readonly user: string;
}

@Injectable()
class Consumer {
  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  @Consume('mail')
  @WithContext('job', ({ id, user }: Job) => ({ job: { id }, user }))
  async mail({ id }: Job): Promise<string> {
    await turn();
    this.tracker.emit('mailed', { id });
    return `mailed ${id}`;
  }

  @WithContext('job', ({ id }: Job) => ({ job: { id } }))
  @Consume('bill')
  async bill({ id }: Job): Promise<never> {
    await turn();
    this.tracker.emit('billing', { id });
    throw new RangeError('no money');
  }
}

@Injectable({ scope: Scope.TRANSIENT })
class Report {
  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  @WithContext('report', (title: string) => ({ report: title }))
  write(title: string): string {
    this.tracker.emit('report.written', { title });
    return title.toUpperCase();
  }
}

class Worker {
  constructor(private readonly discovery: DiscoveryService) {}

  async work(queue: string, job: Job): Promise<unknown> {
    for (const { instance } of this.discovery.getProviders()) {
      if (instance instanceof Consumer) {
        const consumer = instance as unknown as Record<string, (job: Job) => Promise<unknown>>;
        for (const name of ['mail', 'bill']) {
          const method = consumer[name] as (job: Job) => Promise<unknown>;
          if (Reflect.getMetadata(QUEUE, method) === queue) {
            return method.call(instance, job);
          }
        }
      }
    }
    throw new Error(`nobody consumes ${queue}`);
  }
}

function jobs(memory: MemoryBackend, options: Partial<TrackingModuleOptions> = {}): new () => object {
  @Module({
    imports: [
      DiscoveryModule,
      ScheduleModule.forRoot(),
      TrackingModule.forRoot({ backends: { memory }, ...options }),
    ],
    providers: [Jobs, Consumer, Report],
  })
  class JobsModule {}
  return JobsModule;
}

describe('a standalone app with scheduled methods', () => {
  let memory: MemoryBackend;
  let app: INestApplicationContext;

  beforeEach(async () => {
    memory = memoryBackend();
    app = await NestFactory.createApplicationContext(jobs(memory), QUIET);
  });

  afterEach(async () => {
    await app.close();
  });

  function fire(name: string): void {
    void app.get(SchedulerRegistry).getCronJob(name).fireOnTick();
  }

  it.each(['above', 'below'])('opens a scope for each tick: job %s', async (job) => {
    fire(job);
    await memory.waitFor('ticked');
    fire(job);
    const ticked = await memory.waitFor('ticked', 2);
    expect(ticked.map(({ context }) => context)).toEqual([
      { job, tick: 0 },
      { job, tick: 1 },
    ]);
  });

  it('keeps apart ticks that run at the same time', async () => {
    const TICKS = 50;
    for (let n = 0; n < TICKS; n++) {
      fire(n % 2 === 0 ? 'above' : 'below');
    }
    for (const { data, context } of await memory.waitFor('ticked', TICKS)) {
      const tick = data['tick'] as number;
      expect(context).toEqual({
        job: tick % 2 === 0 ? 'above' : 'below',
        tick,
      });
    }
  });

  it('starts each round of an @Interval anew', async () => {
    const rounds = await memory.waitFor('often', 3);
    expect(rounds.map(({ context }) => context)).toEqual(rounds.map(() => ({ job: 'often' })));
  });

  it('runs a @Timeout in its scope', async () => {
    await memory.waitFor('once');
    expect(await contextOf(memory, 'once')).toEqual({ job: 'once' });
  });

  it('leaves a failing tick to the scheduler', async () => {
    fire('failing');
    await memory.waitFor('before.failure');
    fire('above');
    const [ticked] = await memory.waitFor('ticked');
    expect(ticked?.context).toEqual({ job: 'above', tick: 0 });
  });

  it('gives the jobs of a queue their own contexts, under whichever decorator', async () => {
    const worker = new Worker(app.get(DiscoveryService));
    const all = Array.from({ length: 50 }, (_, id) => id);
    const answers = await Promise.all(all.map((id) => worker.work('mail', { id, user: `u${id}` })));
    expect(answers).toEqual(all.map((id) => `mailed ${id}`));
    for (const { data, context } of await memory.waitFor('mailed', 50)) {
      const id = data['id'] as number;
      expect(context).toEqual({ job: { id }, user: `u${id}` });
    }
  });

  it('lets the queue see that a job failed', async () => {
    const worker = new Worker(app.get(DiscoveryService));
    await expect(worker.work('bill', { id: 7, user: 'ann' })).rejects.toThrow(RangeError);
    expect(await contextOf(memory, 'billing')).toEqual({ job: { id: 7 } });
  });

  it('adds the frame of a plain method to the context of its caller', async () => {
    const report = await app.resolve(Report);
    const tracker = app.get<Tracker>(getTrackerToken());
    tracker.context('caller', { caller: 'test' }, () => {
      expect(report.write('a')).toBe('A');
      tracker.emit('after');
    });
    expect(await contextOf(memory, 'report.written')).toEqual({
      caller: 'test',
      report: 'a',
    });
    expect(await contextOf(memory, 'after')).toEqual({ caller: 'test' });
  });

  it('delivers at its close what the last tick emitted', async () => {
    fire('above');
    await memory.waitFor('ticked');
    await app.close();
    const tracker = app.get<Tracker>(getTrackerToken());
    expect(tracker.stats()).toMatchObject({
      backends: { memory: { depth: 0, state: 'closed' } },
    });
  });
});

describe.each(HOSTS)('scheduled methods of an app on %s', (host) => {
  it('cannot mark the events of others without a scope of their own', async () => {
    const memory = memoryBackend();
    const codes: string[] = [];
    const { app, close } = await listen(
      jobs(memory, {
        onError: ({ code }) => {
          codes.push(code);
        },
      }),
      host,
    );
    const registry = app.get(SchedulerRegistry);
    await registry.getCronJob('bare').fireOnTick();
    expect(await contextOf(memory, 'bare')).toEqual({});
    expect(codes).toEqual(['context_outside_scope']);
    await registry.getCronJob('above').fireOnTick();
    const [ticked] = await memory.waitFor('ticked');
    expect(ticked?.context).toEqual({ job: 'above', tick: 0 });
    await close();
  });
});
