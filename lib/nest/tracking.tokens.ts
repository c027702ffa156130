import { Inject } from '@nestjs/common';

export const DEFAULT_NAME = 'default';

/** The token of a tracker: `app.get(getTrackerToken())`, `overrideProvider(getTrackerToken('audit'))`. */
export function getTrackerToken(name: string = DEFAULT_NAME): string {
  return `nestjs-tracking:tracker:${name}`;
}

/** Injects the tracker of the module: a feature module's own, else the one of `forRoot`. */
export function InjectTracker(name?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getTrackerToken(name));
}

/** The token that starts the tracker of `forRoot`: also where a test has overridden the one that is injected. */
export function rootTrackerToken(name: string): string {
  return `nestjs-tracking:root-tracker:${name}`;
}

/** The token of the metrics of `forRoot`: `app.get(getMetricsToken())`. */
export function getMetricsToken(name: string = DEFAULT_NAME): string {
  return `nestjs-tracking:metrics:${name}`;
}

/** Injects the `metrics` of `TrackingModule.forRoot`; with a name those of the instance of that name. */
export function InjectMetrics(name?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getMetricsToken(name));
}
