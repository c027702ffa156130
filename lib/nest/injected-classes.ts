import type { Type } from '@nestjs/common';
import { Inject, Injectable } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { ModuleRef } from '@nestjs/core';
import { isClass } from '../core/processing-step.js';
import { isRecord } from '../core/validation.js';
import { TrackingError } from '../core/errors.js';
import { systemClock } from '../core/system-clock.js';
import { Deadline } from '../core/node.js';

/** Longest wait for one class: a provider that needs the tracker itself would wait for ever. */
const CREATE_TIMEOUT_MS = 10_000;

/**
 * Replaces the classes among backends and processors by their instances: the app's own provider of that class, in
 * whichever module it is, else one that Nest's injector creates.
 *
 * @throws TrackingError `invalid_options` when a class cannot be created
 */
export async function createInstances<Options>(
  options: Options,
  moduleRef: ModuleRef,
  modules: ModulesContainer,
): Promise<Options> {
  const create = (type: Type<object>, path: string): Promise<object> =>
    instanceOf(type, path, moduleRef, modules);
  return (await replaceClasses(options, '', create)) as Options;
}

type Create = (type: Type<object>, path: string) => Promise<object>;

async function replaceClasses(
  node: unknown,
  path: string,
  create: Create,
): Promise<unknown> {
  // Anything else is left to the validation of the options.
  if (!isRecord(node)) {
    return node;
  }
  const at = (key: string): string => (path === '' ? key : `${path}.${key}`);
  const { processors, backends } = node;
  return {
    ...node,
    ...(Array.isArray(processors)
      ? {
          processors: await inOrder(processors, (spec, index) =>
            isClass(spec)
              ? create(spec, `${at('processors')}[${index}]`)
              : Promise.resolve(spec),
          ),
        }
      : {}),
    ...(isRecord(backends)
      ? { backends: await replaceBackends(backends, at('backends'), create) }
      : {}),
  };
}

async function replaceBackends(
  backends: Record<string, unknown>,
  path: string,
  create: Create,
): Promise<Record<string, unknown>> {
  const entries = await inOrder(
    Object.entries(backends),
    async ([key, spec]): Promise<[string, unknown]> => {
      const at = `${path}.${key}`;
      if (isClass(spec)) {
        return [key, await create(spec, at)];
      }
      return isRecord(spec) && 'backends' in spec
        ? [key, await replaceClasses(spec, at, create)]
        : [key, spec];
    },
  );
  return Object.fromEntries(entries);
}

async function inOrder<In, Out>(
  items: readonly In[],
  map: (item: In, index: number) => Promise<Out>,
): Promise<Out[]> {
  const results: Out[] = [];
  for (const [index, item] of items.entries()) {
    results.push(await map(item, index));
  }
  return results;
}

async function instanceOf(
  type: Type<object>,
  path: string,
  moduleRef: ModuleRef,
  modules: ModulesContainer,
): Promise<object> {
  const late = Symbol('late');
  const created = await new Deadline(systemClock(), CREATE_TIMEOUT_MS).race<
    object | symbol
  >(load(type, moduleRef, modules), late);
  if (typeof created === 'symbol') {
    throw new TrackingError(
      'invalid_options',
      `${path}: creating ${type.name} takes longer than ${CREATE_TIMEOUT_MS} ms; does it inject the tracker that it belongs to?`,
    );
  }
  return created;
}

/**
 * `moduleRef.get` would answer a provider that is not constructed yet; injecting it into a holder waits for it.
 */
async function load(
  type: Type<object>,
  moduleRef: ModuleRef,
  modules: ModulesContainer,
): Promise<object> {
  const home = [...modules.values()].find((module) =>
    module.providers.has(type),
  );
  const homeRef: unknown = home?.providers.get(ModuleRef)?.instance;
  if (!(homeRef instanceof ModuleRef)) {
    return moduleRef.create(type);
  }
  @Injectable()
  class Holder {
    constructor(@Inject(type) readonly instance: object) {}
  }
  return (await homeRef.create(Holder)).instance;
}
