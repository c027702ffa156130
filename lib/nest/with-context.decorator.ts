import { Inject, Optional } from '@nestjs/common';
import { describeValue } from '../core/describe.js';
import { DEFAULT_LIMITS } from '../core/limits.js';
import { Frame } from '../core/merged-context.js';
import { defaultContextStore } from '../core/process-state.js';
import { sanitize } from '../core/sanitize.js';
import type { Scope } from '../core/scope.js';
import { ignore, isThenable } from '../core/thenable.js';
import { bindToScope } from './bind-to-scope.js';
import { copyMetadata, isMethod } from './method-metadata.js';
import { TrackingHost } from './tracking-host.js';

const HOST = Symbol('nestjs-tracking:host');

/**
 * Runs a method in a nested scope with one more frame; outside any scope it opens one. For what no middleware and no
 * interceptor sees: `@Cron` methods, queue consumers, plain providers. Other decorators of the method keep working,
 * above and below this one. What it returns, be it a promise, an Observable or an async generator, works in the scope.
 *
 * @param data the frame, or how it is made of the method's arguments, at once
 * @throws TypeError where it stands on something that is not a method
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
    Optional()(target, HOST);
    Inject(TrackingHost)(target, HOST);
    const wrapper = function (this: object | undefined, ...args: never[]): unknown {
      const host = (this as { [HOST]?: TrackingHost } | undefined)?.[HOST];
      const tracker = host?.requestInstance?.tracker;
      const store = tracker?.runtime.store ?? defaultContextStore();
      const frame = (): unknown =>
        typeof data === 'function' ? (data as (...args: unknown[]) => unknown).apply(this, args) : data;
      const failed = (error: unknown): void => {
        const message = `the data function of @WithContext(${describeValue(name)}) failed; the method runs without its frame`;
        tracker?.runtime.report('callback_failed', message, error);
      };
      const work = (): unknown => bindToScope(store, store.current() as Scope, original.apply(this, args));
      const made = madeNow(frame, failed);
      return tracker === undefined
        ? store.nested(name, frameWithoutTracker(made), work)
        : tracker.context(name, made, work);
    };
    copyMetadata(original, wrapper);
    descriptor.value = wrapper;
  };
}

/** Made by hand, without Nest: a test of the class alone. */
function frameWithoutTracker(made: object): Frame {
  try {
    return new Frame(JSON.stringify(sanitize(made, DEFAULT_LIMITS).value));
  } catch {
    return new Frame('{}');
  }
}

/** A frame that cannot be made, or not at once, is no reason not to run the method. */
function madeNow(frame: () => unknown, failed: (error: unknown) => void): object {
  try {
    const made = frame();
    if (isThenable(made)) {
      ignore(made);
      throw new TypeError('expected a frame at once, got a promise');
    }
    return made ?? {};
  } catch (error) {
    failed(error);
    return {};
  }
}
