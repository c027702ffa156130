import 'reflect-metadata';
import { Inject, Optional } from '@nestjs/common';
import { DEFAULT_LIMITS } from '../core/limits.js';
import { defaultContextStore } from '../core/process-state.js';
import { snapshot } from '../core/snapshot.js';
import { TrackingHost } from './tracking-host.js';

const HOST = Symbol('nestjs-tracking:host');

type Method = (this: object, ...args: never[]) => unknown;

/**
 * Runs a method in a nested scope with one more frame; outside any scope it opens one. For what no middleware and no
 * interceptor sees: `@Cron` methods, queue consumers, plain providers. Other decorators of the method keep working,
 * above and below this one.
 *
 * @param data the frame, or how it is made of the method's arguments
 */
export function WithContext(
  name: string,
  data: object | ((...args: never[]) => object | null | undefined),
): MethodDecorator {
  return (target, _key, descriptor) => {
    injectHost(target);
    const original = descriptor.value as Method;
    const wrapper: Method = function (...args) {
      const frame = (): unknown =>
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
    descriptor.value = wrapper as typeof descriptor.value & Method;
  };
}

function injectHost(target: object): void {
  Optional()(target, HOST);
  Inject(TrackingHost)(target, HOST);
}

function runInContext(
  instance: object,
  name: string,
  frame: () => unknown,
  work: () => unknown,
): unknown {
  const host = (instance as { [HOST]?: TrackingHost })[HOST];
  const tracker = host?.enricher?.tracker;
  if (tracker === undefined) {
    // Made by hand, without Nest: a test of the class alone.
    const { value } = snapshot(frame(), DEFAULT_LIMITS);
    return defaultContextStore().nested((scope) => {
      scope.enter(name, value);
    }, work);
  }
  return tracker.context(name, guarded(name, frame, tracker.runtime), work);
}

/** A frame that cannot be made is no reason not to run the method. */
function guarded(
  name: string,
  frame: () => unknown,
  reporter: {
    report(code: 'callback_failed', message: string, error: unknown): void;
  },
): object {
  try {
    return frame() ?? {};
  } catch (error) {
    reporter.report(
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
