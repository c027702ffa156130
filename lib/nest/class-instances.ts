import type { Type } from '@nestjs/common';
import { Inject, Injectable } from '@nestjs/common';
import { ModuleRef, ModulesContainer } from '@nestjs/core';
import type { Clock } from '../core/clock.js';
import { Deadline } from '../core/deadline.js';
import { TrackingError } from '../core/errors.js';
import { systemClock } from '../core/system-clock.js';
import type { ClassInPlan } from '../core/topology-plan.js';

/** Longer than apps usually wait for a database; what needs itself would wait for ever. */
const BOOT_TIMEOUT_MS = 30_000;

/**
 * Creates the classes among backends and processors: the app's own provider of that class, in whichever module it is, else
 * one that Nest's injector creates.
 */
export async function createInstances(
  classes: readonly ClassInPlan[],
  moduleRef: ModuleRef,
  modules: ModulesContainer,
  clock?: Clock,
): Promise<void> {
  // One after the other, in the order in which the app wrote them. An instance that is a router may add more.
  for (const { type, create, failed } of classes) {
    try {
      create(
        await atBoot(
          instanceOf(type, moduleRef, modules),
          'it; does it inject the tracker that it belongs to?',
          clock,
        ),
      );
    } catch (error) {
      failed(error);
    }
  }
}

/** `moduleRef.get` would return a provider that is not constructed yet; injecting it into a holder waits for it. */
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

/**
 * Waits while an app boots, but not for ever.
 *
 * @param what is waited for, and why it may never come
 * @throws TrackingError `timeout`
 */
export async function atBoot<T>(
  work: PromiseLike<T>,
  what: string,
  clock: Clock = systemClock(),
): Promise<T> {
  // Nothing else keeps a process alive before it listens: it would end and say nothing.
  const release = clock.keepAlive?.();
  const late = Symbol('late');
  try {
    const result = await new Deadline(clock, BOOT_TIMEOUT_MS).race<T | typeof late>(work, late);
    if (result === late) {
      throw new TrackingError('timeout', `waited ${BOOT_TIMEOUT_MS} ms for ${what}`);
    }
    return result;
  } finally {
    release?.();
  }
}
