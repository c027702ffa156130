import type { Type } from '@nestjs/common';
import { Inject, Injectable } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { ModuleRef } from '@nestjs/core';
import { isClass } from '../core/processing-step.js';
import { errorMessage } from '../core/describe.js';
import type { Problems } from '../core/options.js';
import { isRecord } from '../core/options.js';
import { atBoot } from './boot-time.js';

/** In the place of a class that could not be created, so that the other options can be checked before the boot stops. */
const STAND_IN = {
  send: (): void => undefined,
  process: (): void => undefined,
};

/**
 * Replaces the classes among backends and processors by their instances: the app's own provider of that class, in
 * whichever module it is, else one that Nest's injector creates. What cannot be created goes to `problems`.
 */
export async function createInstances<Options>(
  options: Options,
  problems: Problems,
  moduleRef: ModuleRef,
  modules: ModulesContainer,
): Promise<Options> {
  const creation = new Creation(problems, moduleRef, modules);
  return (await creation.router(options, '')) as Options;
}

class Creation {
  /** The routers around the one being read: the validation of the options refuses one that contains itself. */
  private readonly around = new Set<object>();

  constructor(
    private readonly problems: Problems,
    private readonly moduleRef: ModuleRef,
    private readonly modules: ModulesContainer,
  ) {}

  async router(node: unknown, path: string): Promise<unknown> {
    // Anything else is left to the validation of the options.
    if (!isRecord(node) || this.around.has(node)) {
      return node;
    }
    const at = (key: string): string => (path === '' ? key : `${path}.${key}`);
    const { processors, backends } = node;
    this.around.add(node);
    const created = {
      ...node,
      ...(Array.isArray(processors)
        ? { processors: await this.processors(processors, at('processors')) }
        : {}),
      ...(isRecord(backends) ? { backends: await this.backends(backends, at('backends')) } : {}),
    };
    this.around.delete(node);
    return created;
  }

  /** One after the other, in the order in which the app wrote them. */
  private async processors(specs: readonly unknown[], path: string): Promise<unknown[]> {
    const created: unknown[] = [];
    for (const [index, spec] of specs.entries()) {
      created.push(await this.instance(spec, `${path}[${index}]`));
    }
    return created;
  }

  private async backends(tree: Record<string, unknown>, path: string): Promise<Record<string, unknown>> {
    const created: [string, unknown][] = [];
    for (const [key, spec] of Object.entries(tree)) {
      const at = `${path}.${key}`;
      const node = await this.instance(spec, at);
      created.push([key, isRecord(node) && 'backends' in node ? await this.router(node, at) : node]);
    }
    return Object.fromEntries(created);
  }

  private async instance(spec: unknown, path: string): Promise<unknown> {
    if (!isClass(spec)) {
      return spec;
    }
    try {
      return await atBoot(
        instanceOf(spec, this.moduleRef, this.modules),
        'it; does it inject the tracker that it belongs to?',
      );
    } catch (error) {
      this.problems.addLine(path, `creating ${spec.name} failed: ${errorMessage(error)}`);
      return STAND_IN;
    }
  }
}

/**
 * `moduleRef.get` would answer a provider that is not constructed yet; injecting it into a holder waits for it.
 */
async function instanceOf(
  type: Type<object>,
  moduleRef: ModuleRef,
  modules: ModulesContainer,
): Promise<object> {
  const home = [...modules.values()].find((module) => module.providers.has(type));
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
