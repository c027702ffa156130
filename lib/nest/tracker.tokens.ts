import { Inject } from '@nestjs/common';

export const DEFAULT_NAME = 'default';

/** The token of a tracker: `app.get(getTrackerToken())`, `overrideProvider(getTrackerToken('audit'))`. */
export function getTrackerToken(name: string = DEFAULT_NAME): string {
  return `nestjs-tracking:tracker:${name}`;
}

/** The token that starts the tracker of `forRoot`: also where a test has overridden the one that is injected. */
export function rootTrackerToken(name: string): string {
  return `nestjs-tracking:root-tracker:${name}`;
}

/** Injects the tracker of the module: a feature module's own, else the one of `forRoot`. */
export function InjectTracker(name?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getTrackerToken(name));
}
