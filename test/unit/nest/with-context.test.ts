import 'reflect-metadata';
import { setImmediate as turn } from 'node:timers/promises';
import { Injectable, SetMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from '@jest/globals';
import type { JsonObject, TrackingReport } from 'nestjs-tracking';
import { InjectTracker, TrackingModule, WithContext } from 'nestjs-tracking';
import type { Tracker } from 'nestjs-tracking';
import { createTracker } from 'nestjs-tracking/core';
import { memoryBackend } from 'nestjs-tracking/testing';
import { Observable, firstValueFrom, toArray } from 'rxjs';
import { untyped } from '../../support/recording.js';

const reader = createTracker({ backends: {} });
const seen = (): JsonObject => reader.resolveContext();

class Plain {
  readonly mine = 'mine';

  @WithContext('fixed', { fixed: true })
  now(): JsonObject {
    return seen();
  }

  @WithContext('own', function (this: Plain, a: string, b: number) {
    return { own: [this.mine, a, b] };
  })
  ofArguments(a: string, b: number): JsonObject {
    return { ...seen(), got: a + String(b) };
  }

  @WithContext('later', { later: true })
  async later(): Promise<JsonObject> {
    await turn();
    return seen();
  }

  @WithContext('stream', { stream: true })
  stream(): Observable<JsonObject> {
    return new Observable((subscriber) => {
      subscriber.next(seen());
      void turn().then(() => {
        subscriber.next(seen());
        subscriber.complete();
      });
    });
  }

  @WithContext('stream', { stream: 'late' })
  async lateStream(): Promise<Observable<JsonObject>> {
    await turn();
    return this.stream();
  }

  @WithContext('steps', { steps: true })
  async *steps(): AsyncGenerator<JsonObject> {
    yield seen();
    await turn();
    yield seen();
  }

  @WithContext('failing', { failing: true })
  failing(): never {
    throw new RangeError('no');
  }

  @WithContext('unmade', () => {
    throw new Error('no frame');
  })
  unmade(): string {
    return 'ran';
  }

  @WithContext('nothing', () => undefined)
  nothing(): JsonObject {
    return seen();
  }

  @WithContext('static', { static: true })
  static ofClass(): JsonObject {
    return seen();
  }
}

describe('@WithContext on a class that is made by hand', () => {
  const plain = new Plain();

  it('runs the method in a scope with its frame, and nothing after it', () => {
    expect(plain.now()).toEqual({ fixed: true });
    expect(seen()).toEqual({});
  });

  it('makes the frame of the arguments, with the instance at hand', () => {
    expect(plain.ofArguments('a', 2)).toEqual({
      own: ['mine', 'a', 2],
      got: 'a2',
    });
  });

  it('nests in the scope of its caller', () => {
    reader.context('outer', { outer: 1 }, () => {
      expect(plain.now()).toEqual({ outer: 1, fixed: true });
    });
  });

  it('keeps the scope until a promise settles', async () => {
    expect(await plain.later()).toEqual({ later: true });
  });

  it('keeps it for an Observable that is subscribed to later', async () => {
    const values = await firstValueFrom(plain.stream().pipe(toArray()));
    expect(values).toEqual([{ stream: true }, { stream: true }]);
    const late = await plain.lateStream();
    expect(await firstValueFrom(late)).toEqual({ stream: true });
  });

  it('keeps it for an async generator that is asked later', async () => {
    const values = [];
    for await (const value of plain.steps()) {
      values.push(value);
    }
    expect(values).toEqual([{ steps: true }, { steps: true }]);
  });

  it('throws what the method throws, and leaves the scope', () => {
    expect(() => plain.failing()).toThrow(RangeError);
    expect(seen()).toEqual({});
  });

  it('runs the method without a frame where none can be made, or there is none', () => {
    expect(plain.unmade()).toBe('ran');
    expect(plain.nothing()).toEqual({});
  });

  it('works on a static method, and on one that is called without its instance', () => {
    expect(Plain.ofClass()).toEqual({ static: true });
    const { now } = plain;
    expect(now()).toEqual({ fixed: true });
  });
});

describe('@WithContext on a provider', () => {
  it('reports a frame that cannot be made, and runs the method', async () => {
    @Injectable()
    class Service {
      constructor(@InjectTracker() private readonly tracker: Tracker) {}

      @WithContext('unmade', () => {
        throw new Error('no frame');
      })
      work(): string {
        this.tracker.emit('worked');
        return 'ran';
      }
    }
    const memory = memoryBackend();
    const reports: TrackingReport[] = [];
    const module = await Test.createTestingModule({
      imports: [
        TrackingModule.forRoot({
          backends: { memory },
          onError: (report) => {
            reports.push(report);
          },
        }),
      ],
      providers: [Service],
    }).compile();
    expect(module.get(Service).work()).toBe('ran');
    expect(memory.events).toHaveLength(1);
    expect(reports).toMatchObject([{ code: 'callback_failed', error: { message: 'no frame' } }]);
    expect(reports[0]?.message).toContain('@WithContext("unmade")');
    await module.close();
  });

  it('works without TrackingModule in the app', async () => {
    @Injectable()
    class Service extends Plain {}
    const module = await Test.createTestingModule({
      providers: [Service],
    }).compile();
    expect(module.get(Service).now()).toEqual({ fixed: true });
    await module.close();
  });
});

describe('what @WithContext leaves of a method', () => {
  class Marked {
    @SetMetadata('above', 1)
    @WithContext('frame', {})
    @SetMetadata('below', 2)
    work(a: string, b: string): string {
      return a + b;
    }
  }

  it('is its name, its length and the metadata of other decorators', () => {
    const { work } = Marked.prototype;
    expect({ name: work.name, length: work.length }).toEqual({
      name: 'work',
      length: 2,
    });
    expect(Reflect.getMetadata('above', work)).toBe(1);
    expect(Reflect.getMetadata('below', work)).toBe(2);
    expect(new Marked().work('a', 'b')).toBe('ab');
  });

  it('refuses what is no method, by name', () => {
    const decorate = untyped<(target: object, key: string, descriptor?: PropertyDescriptor) => void>(
      WithContext('frame', {}),
    );
    expect(() => {
      decorate({}, 'size', { get: () => 1 });
    }).toThrow(new TypeError('@WithContext("frame") expects a method, got size'));
    expect(() => {
      decorate({}, 'field');
    }).toThrow('@WithContext("frame") expects a method, got field');
  });
});
