import 'reflect-metadata';
import { Inject, Optional } from '@nestjs/common';
import { DEFAULT_LIMITS } from '../core/limits.js';
import { defaultContextStore } from '../core/process-state.js';
import type { Scope } from '../core/scope.js';
import { snapshot } from '../core/snapshot.js';
import type { TrackerRuntime } from '../core/tracker-runtime.js';
import { answerWithin } from './scoped-answer.js';
import { TrackingHost } from './tracking-host.js';

const HOST = Symbol('nestjs-tracking:host');

type Method = (this: object | undefined, ...args: never[]) => unknown;
type MakeFrame = () => unknown;

/**
 * Runs a method in a nested scope with one more frame; outside any scope it opens one. For what no middleware and no
 * interceptor sees: `@Cron` methods, queue consumers, plain providers. Other decorators of the method keep working,
 * above and below this one. What it answers, be it a promise, an Observable or an async generator, works in the scope.
 *
 * @param data the frame, or how it is made of the method's arguments
 * @throws TypeError where it stands on something that is no method
 */
export function WithContext(
  name: string,
  data: object | ((...args: never[]) => object | null | undefined),
): MethodDecorator {
  return (target, key, descriptor: PropertyDescriptor | undefined) => {
    const original: unknown = descriptor?.value;
    if (descriptor === undefined || !isMethod(original)) {
      throw new TypeError(`@WithContext(${JSON.stringify(name)}) expects a method, got ${String(key)}`);
    }
    injectHost(target);
    const wrapper: Method = function (...args) {
      const frame: MakeFrame = () =>
        typeof data === 'function'
          ? (data as (...args: readonly unknown[]) => unknown).apply(this, args)
          : data;
      return runInContext(this, name, frame, () => original.apply(this, args));
    };
    Object.defineProperties(wrapper, {
      name: { value: original.name, configurable: true },
      length: { value: original.length, configurable: true },
    });
    copyMetadata(original, wrapper);
    descriptor.value = wrapper;
  };
}

function isMethod(value: unknown): value is Method {
  return typeof value === 'function';
}

function injectHost(target: object): void {
  Optional()(target, HOST);
  Inject(TrackingHost)(target, HOST);
}

function runInContext(
  instance: { [HOST]?: TrackingHost } | undefined,
  name: string,
  frame: MakeFrame,
  work: () => unknown,
): unknown {
  const host: TrackingHost | undefined = instance?.[HOST];
  const tracker = host?.enricher?.tracker;
  const store = tracker?.runtime.store ?? defaultContextStore();
  const boundWork = (): unknown => answerWithin(store, store.current() as Scope, work());
  if (tracker !== undefined) {
    return tracker.context(name, guarded(name, frame, tracker.runtime), boundWork);
  }
  // Made by hand, without Nest: a test of the class alone.
  const { value } = snapshot(guarded(name, frame, undefined), DEFAULT_LIMITS);
  return store.nested(name, value, boundWork);
}

/** A frame that cannot be made is no reason not to run the method. */
function guarded(name: string, frame: MakeFrame, reporter: TrackerRuntime | undefined): object {
  try {
    return frame() ?? {};
  } catch (error) {
    reporter?.report(
      'callback_failed',
      `the data function of @WithContext(${JSON.stringify(name)}) failed; the method runs without its frame`,
      error,
    );
    return {};
  }
}

function copyMetadata(from: object, to: object): void {
  for (const key of Reflect.getMetadataKeys(from) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, from), to);
  }
}
