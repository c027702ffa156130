import 'reflect-metadata';
import { Controller, Get, Injectable, Param, SetMetadata } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Tracker } from 'nestjs-tracking';
import { getTrackerToken, InjectTracker, WithContext } from 'nestjs-tracking';
import { ADAPTERS, closeApps, nestApp } from '../support/nest-app.js';

afterEach(closeApps);

@Injectable()
class Tick {
  readonly prefix = 'tick';

  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  @SetMetadata('below', 1)
  @WithContext('tick', (n: number) => ({ tick: n }))
  @SetMetadata('above', 2)
  async run(n: number, fail = false): Promise<string> {
    this.tracker.emit('now');
    await Promise.resolve();
    this.tracker.emit('later');
    if (fail) {
      throw new Error('failed');
    }
    return `${this.prefix} ${n}`;
  }

  @WithContext('fixed', { fixed: true })
  sync(fail: boolean): string {
    this.tracker.emit('sync');
    if (fail) {
      throw new RangeError('failed');
    }
    return this.prefix;
  }

  @WithContext('own', function (this: Tick) {
    return { own: this.prefix };
  })
  own(): void {
    this.tracker.emit('own');
  }

  @WithContext('bad', () => {
    throw new Error('no frame');
  })
  bad(): string {
    this.tracker.emit('bad');
    return 'ran';
  }

  @WithContext('none', () => undefined)
  none(): void {
    this.tracker.emit('none');
  }
}

@Controller('ticks')
class Ticks {
  constructor(private readonly tick: Tick) {}

  @Get(':n')
  run(@Param('n') n: string): Promise<string> {
    return this.tick.run(Number(n));
  }
}

describe.each(ADAPTERS)('@WithContext on %s', (adapter) => {
  const start = async () => {
    const app = await nestApp(adapter).controllers(Ticks).providers(Tick).start();
    return { ...app, tick: app.app.get(Tick) };
  };

  it('puts its frame under everything that a method does, outside any request', async () => {
    const { tick, memory } = await start();
    expect(await tick.run(7)).toBe('tick 7');
    expect(memory.events.map(({ context }) => context)).toStrictEqual([{ tick: 7 }, { tick: 7 }]);
  });

  it('adds its frame to the scope of a request', async () => {
    const { visit, memory } = await start();
    await visit('/ticks/3');
    expect(memory.events).toMatchObject([
      { name: 'now', context: { tick: 3, request: { path: '/ticks/3' } } },
      { name: 'later', context: { tick: 3, handler: { class: 'Ticks' } } },
    ]);
  });

  it('keeps calls apart that run at the same time', async () => {
    const { tick, memory } = await start();
    await Promise.all([tick.run(1), tick.run(2)]);
    expect(memory.events.map(({ name, context }) => [name, context['tick']])).toStrictEqual([
      ['now', 1],
      ['now', 2],
      ['later', 1],
      ['later', 2],
    ]);
  });

  it('throws and rejects what the method does, and its frame is gone', async () => {
    const { tick, app } = await start();
    await expect(tick.run(1, true)).rejects.toThrow('failed');
    expect(() => tick.sync(true)).toThrow(RangeError);
    expect(tick.sync(false)).toBe('tick');
    const tracker = app.get<Tracker>(getTrackerToken());
    expect(tracker.resolveContext()).toStrictEqual({});
  });

  it('gives its data function the instance', async () => {
    const { tick, event } = await start();
    tick.own();
    expect((await event('own')).context).toStrictEqual({ own: 'tick' });
  });

  it('runs the method without a frame when its data function fails, and reports that', async () => {
    const { tick, event, reports } = await start();
    expect(tick.bad()).toBe('ran');
    tick.none();
    expect((await event('bad')).context).toStrictEqual({});
    expect((await event('none')).context).toStrictEqual({});
    expect(reports).toMatchObject([{ code: 'callback_failed' }]);
    expect(reports[0]?.message).toContain('@WithContext("bad")');
  });
});

describe('@WithContext', () => {
  it('keeps name, length and metadata of the method', () => {
    const { run } = Tick.prototype;
    expect(run.name).toBe('run');
    expect(run).toHaveLength(1);
    expect(Reflect.getMetadata('below', run)).toBe(1);
    expect(Reflect.getMetadata('above', run)).toBe(2);
  });

  it('works on an instance that was made by hand', async () => {
    const emitted: unknown[] = [];
    const tick = new Tick({
      emit: (name: string) => {
        emitted.push(name);
      },
    } as Tracker);
    expect(await tick.run(7)).toBe('tick 7');
    expect(emitted).toStrictEqual(['now', 'later']);
  });
});
